// SPDX-License-Identifier: MIT
//! libmemfd 1.0.0 for Rust: memory files with safe defaults, and their seals.
//!
//! Copy this file into your project, and install libmemfd to link it. (In edition
//! 2024, write `unsafe` before `extern`.)
//!
//! ```
//! use memfd::{Flags, Seals};
//! use std::io::Read;
//!
//! let mut file = memfd::new_sealed("greeting", Flags(0), b"hello, world")?;
//! memfd::check_seals(&file, Seals::IMMUTABLE)?;
//! let mut text = String::new();
//! file.read_to_string(&mut text)?;
//! assert_eq!(text, "hello, world");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Flags and seals are constants joined by `|`, or parsed from names:
//! `"allow-sealing,huge-2mb".parse::<Flags>()?`.
//!
//! Every error is an [`io::Error`]. Those of the system have an errno, which the
//! manual page of the C function explains; an unknown name, and a null byte in a
//! string, have none, but the kind [`io::ErrorKind::InvalidInput`] and a text.

#![allow(dead_code)]

use std::ffi::CString;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::raw::{c_char, c_int, c_uint, c_void};
use std::os::unix::io::{AsFd, AsRawFd, FromRawFd};

#[rustfmt::skip]
#[link(name = "memfd")]
extern "C" {
    fn memfd_new(name: *const c_char, flags: Flags) -> c_int;
    fn memfd_new_sized(name: *const c_char, flags: Flags, size: usize, seals: Seals) -> c_int;
    fn memfd_new_sealed(name: *const c_char, flags: Flags, data: *const c_void, size: usize) -> c_int;
    fn memfd_new_sealed_copy(name: *const c_char, flags: Flags, fd: c_int, max: usize) -> c_int;
    fn memfd_seal(fd: c_int, seals: Seals) -> c_int;
    fn memfd_get_seals(fd: c_int) -> c_int;
    fn memfd_check_seals(fd: c_int, seals: Seals) -> c_int;
    fn memfd_parse_flags(names: *const c_char, flags: *mut c_uint, stop: *mut usize) -> c_int;
    fn memfd_parse_seals(names: *const c_char, seals: *mut c_uint, stop: *mut usize) -> c_int;
    fn memfd_format_seals(seals: Seals, buf: *mut c_char, size: usize) -> c_int;
}

macro_rules! bits {
    ($type:ident, $kind:literal, $parse:ident, $doc:literal, $($name:ident = $value:literal,)*) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[repr(transparent)]
        pub struct $type(pub u32);

        #[allow(missing_docs)]
        impl $type {
            $(pub const $name: Self = Self($value);)*
            /// All of them, by name.
            pub const NAMES: &'static [(&'static str, Self)] = &[$((stringify!($name), Self::$name)),*];
        }

        impl std::ops::BitOr for $type {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        /// Converts names, as the C function of that name does.
        impl std::str::FromStr for $type {
            type Err = io::Error;
            fn from_str(names: &str) -> io::Result<Self> {
                let (text, mut number, mut stop) = (CString::new(names)?, 0, 0);
                if unsafe { $parse(text.as_ptr(), &mut number, &mut stop) } == 0 {
                    return Ok(Self(number));
                }
                let word = names[stop..].split([',', '|', ' ', '\t', '\n', '\x0b', '\x0c', '\r']);
                let text = format!("invalid {}: {}", $kind, word.take(1).collect::<String>());
                Err(io::Error::new(io::ErrorKind::InvalidInput, text))
            }
        }
    };
}

bits! { Flags, "flag", memfd_parse_flags, "Flags for a new memfd; see memfd_new(3).",
    CLOEXEC = 0x0001, ALLOW_SEALING = 0x0002, HUGETLB = 0x0004,
    NOEXEC_SEAL = 0x0008, EXEC = 0x0010, INHERIT = 0x02000000,
    HUGE_64KB = 0x40000004, HUGE_512KB = 0x4c000004, HUGE_1MB = 0x50000004,
    HUGE_2MB = 0x54000004, HUGE_8MB = 0x5c000004, HUGE_16MB = 0x60000004,
    HUGE_32MB = 0x64000004, HUGE_256MB = 0x70000004, HUGE_512MB = 0x74000004,
    HUGE_1GB = 0x78000004, HUGE_2GB = 0x7c000004, HUGE_16GB = 0x88000004,
}

bits! { Seals, "seal", memfd_parse_seals, "Seals of a memfd; see memfd_seal(3).",
    SEAL = 0x01, SHRINK = 0x02, GROW = 0x04, WRITE = 0x08,
    FUTURE_WRITE = 0x10, EXEC = 0x20, IMMUTABLE = 0x0e,
}

/// Writes the names of the seals.
impl fmt::Display for Seals {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut text = [0u8; 128];
        let length = unsafe { memfd_format_seals(*self, text.as_mut_ptr().cast(), text.len()) };
        f.write_str(&String::from_utf8_lossy(&text[..length as usize]))
    }
}

/// Creates an empty memfd.
pub fn new(name: &str, flags: Flags) -> io::Result<File> {
    let name = CString::new(name)?;
    file(unsafe { memfd_new(name.as_ptr(), flags) })
}

/// Creates a memfd of `size` zero bytes, and adds seals.
pub fn new_sized(name: &str, flags: Flags, size: usize, seals: Seals) -> io::Result<File> {
    let name = CString::new(name)?;
    file(unsafe { memfd_new_sized(name.as_ptr(), flags, size, seals) })
}

/// Creates a memfd with the bytes of `data`, which can never change.
pub fn new_sealed(name: &str, flags: Flags, data: &[u8]) -> io::Result<File> {
    let name = CString::new(name)?;
    let bytes = data.as_ptr().cast();
    file(unsafe { memfd_new_sealed(name.as_ptr(), flags, bytes, data.len()) })
}

/// Creates a memfd with a copy of a file, which can never change. More than `max`
/// bytes are EFBIG: set it if the file comes from somebody else. With
/// [`usize::MAX`] there is no limit.
pub fn new_sealed_copy(name: &str, flags: Flags, fd: impl AsFd, max: usize) -> io::Result<File> {
    let (name, fd) = (CString::new(name)?, fd.as_fd().as_raw_fd());
    file(unsafe { memfd_new_sealed_copy(name.as_ptr(), flags, fd, max) })
}

/// Adds seals: all of them or, on error, none.
pub fn seal(fd: impl AsFd, seals: Seals) -> io::Result<()> {
    check(unsafe { memfd_seal(fd.as_fd().as_raw_fd(), seals) }).map(drop)
}

/// Gets the seals. To verify a file that you received, use [`check_seals`].
pub fn get_seals(fd: impl AsFd) -> io::Result<Seals> {
    check(unsafe { memfd_get_seals(fd.as_fd().as_raw_fd()) }).map(|seals| Seals(seals as u32))
}

/// Returns an error unless all the given seals are set; others may be, too.
pub fn check_seals(fd: impl AsFd, seals: Seals) -> io::Result<()> {
    check(unsafe { memfd_check_seals(fd.as_fd().as_raw_fd(), seals) }).map(drop)
}

fn check(result: c_int) -> io::Result<c_int> {
    match result {
        0.. => Ok(result),
        _ => Err(io::Error::last_os_error()),
    }
}

fn file(fd: c_int) -> io::Result<File> {
    check(fd).map(|fd| unsafe { File::from_raw_fd(fd) })
}
