//! What processor a program is for, by the head of its ELF file.
//! Source: <https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html>.

use clap::ValueEnum;

/// A processor that Lambda has, by Lambda's name for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Architecture {
    /// AWS's own.
    #[value(name = "arm64")]
    Arm64,
    /// Intel's and AMD's.
    #[value(name = "x86_64")]
    X86_64,
}

impl Architecture {
    /// The word for it in Lambda's API and in the stack's parameter.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    /// What a program is for.
    ///
    /// # Errors
    /// What the bytes are instead of a program that Lambda can start.
    pub(super) fn of_program(program: &[u8]) -> Result<Self, NotForLambda> {
        /// 64 bits, little-endian, in this version of the format.
        const IDENT: &[u8] = b"\x7fELF\x02\x01\x01";
        /// Where the number of the machine stands.
        const MACHINE: std::ops::Range<usize> = 18..20;
        if !program.starts_with(IDENT) {
            return Err(NotForLambda::Format);
        }
        match program.get(MACHINE) {
            // EM_X86_64 and EM_AARCH64.
            Some([62, 0]) => Ok(Self::X86_64),
            Some([183, 0]) => Ok(Self::Arm64),
            Some([low, high]) => Err(NotForLambda::Machine(u16::from_le_bytes([*low, *high]))),
            _ => Err(NotForLambda::Format),
        }
    }
}

/// Why Lambda could not start a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotForLambda {
    /// It is no ELF file of 64 bits, such as a program for macOS or Windows.
    #[error("it is not a program for Linux on a processor of Lambda's")]
    Format,
    /// It is for another processor, by ELF's number.
    #[error("it is for a processor that Lambda does not have (ELF machine {0})")]
    Machine(u16),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a program for this machine.
    pub(in crate::cli::package) fn program(machine: u16) -> Vec<u8> {
        let mut head = vec![0_u8; 64];
        head[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        head[18..20].copy_from_slice(&machine.to_le_bytes());
        head
    }

    #[test]
    fn a_program_is_for_the_processor_that_its_head_names() {
        assert_eq!(Architecture::of_program(&program(62)), Ok(Architecture::X86_64));
        assert_eq!(Architecture::of_program(&program(183)), Ok(Architecture::Arm64));
        assert_eq!(Architecture::of_program(&program(40)), Err(NotForLambda::Machine(40)));
        for other in [&b"MZ"[..], b"", b"\x7fELF\x01\x01\x01", &program(62)[..19]] {
            assert_eq!(Architecture::of_program(other), Err(NotForLambda::Format));
        }
    }
}
