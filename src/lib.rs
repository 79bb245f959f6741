//! offlimits
