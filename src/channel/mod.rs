//! The destinations of alerts, one file each. A channel is two pure halves: it renders a finding to a body, and it judges
//! the reply. It does no I/O and knows no clock; [`crate::deliver`] sends.

