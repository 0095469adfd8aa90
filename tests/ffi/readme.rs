// SPDX-License-Identifier: MIT

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Read};
use std::os::raw::{c_char, c_int, c_uint, c_void};
use std::os::unix::io::FromRawFd;

#[link(name = "memfd")]
extern "C" {
    fn memfd_new_sealed(name: *const c_char, flags: c_uint, data: *const c_void, n: usize)
        -> c_int;
}

fn new_sealed(name: &CStr, data: &[u8]) -> io::Result<File> {
    let bytes = data.as_ptr().cast();
    match unsafe { memfd_new_sealed(name.as_ptr(), 0, bytes, data.len()) } {
        -1 => Err(io::Error::last_os_error()),
        fd => Ok(unsafe { File::from_raw_fd(fd) }),
    }
}

fn main() -> io::Result<()> {
    let mut text = String::new();
    new_sealed(&CString::new("greeting")?, b"hello, world")?.read_to_string(&mut text)?;
    assert_eq!(text, "hello, world");
    Ok(())
}
