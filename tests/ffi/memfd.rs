// SPDX-License-Identifier: MIT
//! libmemfd from Rust, with nothing but its standard library.

use std::error::Error;
use std::ffi::CString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::raw::{c_char, c_int, c_uint, c_void};
use std::os::unix::io::{AsRawFd, FromRawFd, OwnedFd};

mod c {
    use super::*;

    pub const MEMFD_SEAL_EXEC: c_uint = 0x20;
    pub const MEMFD_SEAL_IMMUTABLE: c_uint = 0x0e;

    #[link(name = "memfd")]
    extern "C" {
        pub fn memfd_new(name: *const c_char, flags: c_uint) -> c_int;
        pub fn memfd_seal(fd: c_int, seals: c_uint) -> c_int;
        pub fn memfd_get_seals(fd: c_int) -> c_int;
        pub fn memfd_new_sealed(
            name: *const c_char,
            flags: c_uint,
            data: *const c_void,
            size: usize,
        ) -> c_int;
        pub fn memfd_check_seals(fd: c_int, seals: c_uint) -> c_int;
        pub fn memfd_parse_flags(names: *const c_char, flags: *mut c_uint, stop: *mut usize)
            -> c_int;
        pub fn memfd_parse_seals(names: *const c_char, seals: *mut c_uint, stop: *mut usize)
            -> c_int;
        pub fn memfd_format_seals(seals: c_uint, buf: *mut c_char, size: usize) -> c_int;
    }
}

fn check(result: c_int) -> io::Result<c_int> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(result),
    }
}

#[derive(Debug)]
enum Invalid {
    Flag(String),
    Seal(String),
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Invalid::Flag(word) => write!(f, "invalid flag: {word}"),
            Invalid::Seal(word) => write!(f, "invalid seal: {word}"),
        }
    }
}

impl Error for Invalid {}

fn refused(text: &str, end: usize) -> String {
    let separator = |c: char| ",|".contains(c) || c.is_ascii_whitespace();
    text[end..].split(separator).next().unwrap().to_owned()
}

fn parse_flags(text: &str) -> Result<c_uint, Box<dyn Error>> {
    let (name, mut flags, mut end) = (CString::new(text)?, 0, 0);
    match unsafe { c::memfd_parse_flags(name.as_ptr(), &mut flags, &mut end) } {
        0 => Ok(flags),
        _ => Err(Invalid::Flag(refused(text, end)).into()),
    }
}

fn parse_seals(text: &str) -> Result<c_uint, Box<dyn Error>> {
    let (name, mut seals, mut end) = (CString::new(text)?, 0, 0);
    match unsafe { c::memfd_parse_seals(name.as_ptr(), &mut seals, &mut end) } {
        0 => Ok(seals),
        _ => Err(Invalid::Seal(refused(text, end)).into()),
    }
}

fn new(name: &str, flags: c_uint) -> io::Result<File> {
    let name = CString::new(name)?;
    let fd = check(unsafe { c::memfd_new(name.as_ptr(), flags) })?;
    Ok(unsafe { File::from_raw_fd(fd) })
}

fn new_sealed(name: &str, flags: c_uint, data: &[u8]) -> io::Result<File> {
    let name = CString::new(name)?;
    let bytes = data.as_ptr().cast();
    let fd = unsafe { c::memfd_new_sealed(name.as_ptr(), flags, bytes, data.len()) };
    Ok(unsafe { File::from_raw_fd(check(fd)?) })
}

fn seal(file: &impl AsRawFd, seals: c_uint) -> io::Result<()> {
    check(unsafe { c::memfd_seal(file.as_raw_fd(), seals) }).map(drop)
}

fn get_seals(file: &impl AsRawFd) -> io::Result<c_uint> {
    check(unsafe { c::memfd_get_seals(file.as_raw_fd()) }).map(|s| s as c_uint)
}

fn check_seals(file: &impl AsRawFd, seals: c_uint) -> io::Result<()> {
    check(unsafe { c::memfd_check_seals(file.as_raw_fd(), seals) }).map(drop)
}

fn format_seals(seals: c_uint) -> io::Result<String> {
    let mut text = [0u8; 128];
    let buf = text.as_mut_ptr().cast();
    let length = check(unsafe { c::memfd_format_seals(seals, buf, text.len()) })?;
    Ok(String::from_utf8_lossy(&text[..length as usize]).into_owned())
}

/// What went wrong, without the number that io::Error adds.
fn reason<T>(result: Result<T, impl Into<Box<dyn Error>>>) -> String {
    let error = result.err().expect("should have been refused").into();
    let text = error.to_string();
    text.split(" (os error").next().unwrap().to_owned()
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    extern "C" {
        fn pipe(fds: *mut c_int) -> c_int;
    }
    let mut fds = [0; 2];
    check(unsafe { pipe(fds.as_mut_ptr()) })?;
    Ok(unsafe { (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])) })
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut buf = new("buf", parse_flags("allow-sealing")?)?;
    println!("wrote: {} bytes", buf.write(b"hello")?);
    seal(&buf, parse_seals("seal,immutable")?)?;
    // Linux 6.3 and later set MEMFD_SEAL_EXEC by themselves.
    let seals = get_seals(&buf)? & !c::MEMFD_SEAL_EXEC;
    println!("seals: {}", format_seals(seals)?);
    check_seals(&buf, c::MEMFD_SEAL_IMMUTABLE)?;
    println!("immutable: yes");

    println!("write: {}", reason(buf.write(b"again")));
    println!("new: {}", reason(parse_flags("allow-sealing,sparkling")));
    println!("seal: {}", reason(parse_seals("write|frozen")));

    let (reader, _writer) = pipe()?;
    println!(
        "pipe: {}",
        reason(check_seals(&reader, c::MEMFD_SEAL_IMMUTABLE))
    );
    let unsealed = new("unsealed", 0)?;
    println!(
        "unsealed: {}",
        reason(check_seals(&unsealed, c::MEMFD_SEAL_IMMUTABLE))
    );

    let mut text = String::new();
    new_sealed("greeting", 0, b"hello, world")?.read_to_string(&mut text)?;
    println!("sealed: {text}");
    Ok(())
}
