// SPDX-License-Identifier: MIT
//! What memfd.rs promises, and the transcript in ../expected.

mod memfd;

use self::memfd::{Flags, Seals};
use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::io::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread;

/// What went wrong, without the number that io::Error adds.
fn reason<T: Debug>(result: io::Result<T>) -> String {
    let text = result.unwrap_err().to_string();
    text.split(" (os error").take(1).collect()
}

fn content(mut file: File) -> Vec<u8> {
    let mut data = Vec::new();
    file.read_to_end(&mut data).unwrap();
    data
}

fn transcript() -> io::Result<String> {
    let mut buf = memfd::new("buf", Flags::ALLOW_SEALING)?;
    let wrote = buf.write(b"hello")?;
    let unsealed = reason(memfd::check_seals(&buf, Seals::IMMUTABLE));
    memfd::seal(&buf, "seal,immutable".parse()?)?;
    // Linux 6.3 and later add Seals::EXEC by themselves.
    let seals = Seals(memfd::get_seals(&buf)?.0 & !Seals::EXEC.0);
    memfd::check_seals(&buf, Seals::IMMUTABLE)?;
    let write = reason(buf.write(b"again"));
    let new = reason("allow-sealing,sparkling".parse::<Flags>());
    let seal = reason("write|frozen".parse::<Seals>());
    let stdin = reason(memfd::check_seals(io::stdin(), Seals::IMMUTABLE));
    let sealed = content(memfd::new_sealed("greeting", Flags(0), b"hello, world")?);
    let sealed = String::from_utf8_lossy(&sealed);
    Ok(format!(
        "wrote: {wrote} bytes\n\
         unsealed: {unsealed}\n\
         seals: {seals}\n\
         immutable: yes\n\
         write: {write}\n\
         new: {new}\n\
         seal: {seal}\n\
         stdin: {stdin}\n\
         sealed: {sealed}\n"
    ))
}

#[test]
fn the_transcript() {
    assert_eq!(transcript().unwrap(), include_str!("../expected"));
}

#[test]
fn the_constants_are_those_of_the_library() {
    for (name, flag) in Flags::NAMES {
        assert_eq!(name.parse::<Flags>().unwrap(), *flag);
    }
    for (name, seal) in Seals::NAMES {
        assert_eq!(name.parse::<Seals>().unwrap(), *seal);
    }
}

#[test]
fn what_the_transcript_leaves_out() {
    let seals = Seals::GROW | Seals::SHRINK;
    let sized = memfd::new_sized("name", Flags::CLOEXEC, 5, seals).unwrap();
    memfd::check_seals(&sized, seals).unwrap();
    for max in [5, usize::MAX] {
        let copy = memfd::new_sealed_copy("name", Flags(0), &sized, max).unwrap();
        memfd::check_seals(&copy, Seals::IMMUTABLE | Seals::SEAL).unwrap();
        assert_eq!(content(copy), [0; 5]);
    }
    assert_eq!(Seals(0x48).to_string(), "write,0x40");
}

#[test]
fn errors() {
    let flags = |names: &str| reason(names.parse::<Flags>());
    assert_eq!(flags("exec|spärkling exec"), "invalid flag: spärkling");
    assert!(flags("exec\0x").contains("nul byte"));
    assert!(reason(memfd::new("a\0b", Flags(0))).contains("nul byte"));
    let closed = memfd::new("name", Flags(0)).unwrap().as_raw_fd();
    let closed = unsafe { BorrowedFd::borrow_raw(closed) };
    let error = memfd::get_seals(closed).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(9));
}

#[test]
fn errors_leave_nothing_open_and_each_thread_has_its_own() {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let long = "x".repeat(250);
    let (socket, _peer) = UnixStream::pair().unwrap();
    let small = memfd::new_sized("name", Flags(0), 5, Seals(0)).unwrap();
    let before = descriptors();
    let fail = || {
        for _ in 0..1000 {
            let too_long = memfd::new(&long, Flags(0));
            assert_eq!(reason(too_long), "Invalid argument");
            let unknown = memfd::new_sized("name", Flags(0), 1, Seals(1 << 30));
            assert_eq!(reason(unknown), "Invalid argument");
            let copy = memfd::new_sealed_copy("name", Flags(0), &small, 4);
            assert_eq!(reason(copy), "File too large");
        }
    };
    let fail_differently = || {
        for _ in 0..1000 {
            let copy = memfd::new_sealed_copy("name", Flags(0), &socket, 1);
            assert_eq!(reason(copy), "Illegal seek");
            let file = memfd::new("name", Flags(0)).unwrap();
            let refused = memfd::seal(&file, Seals::GROW);
            assert_eq!(reason(refused), "Operation not permitted");
        }
    };
    thread::scope(|scope| {
        scope.spawn(fail);
        scope.spawn(fail_differently);
    });
    assert_eq!(descriptors(), before);
}
