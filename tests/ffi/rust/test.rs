// SPDX-License-Identifier: MIT
//! What memfd.rs promises. These do not compile, but for the first:
//!
//! ```
//! let data = b"text";
//! memfd::new_sealed("name", memfd::Flags(0), data).unwrap();
//! ```
//!
//! ```compile_fail
//! let data = "text";
//! memfd::new_sealed("name", memfd::Flags(0), data).unwrap();
//! ```
//!
//! ```compile_fail
//! let data = b"text";
//! memfd::new_sealed("name", memfd::Flags(1 << 32), data).unwrap();
//! ```
//!
//! ```compile_fail
//! memfd::new_sized("name", memfd::Flags(0), -1, memfd::Seals(0)).unwrap();
//! ```

use memfd::{Flags, Seals};
use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::io::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread;

const EPERM: &str = "Operation not permitted (os error 1)";
const EBADF: &str = "Bad file descriptor (os error 9)";
const EINVAL: &str = "Invalid argument (os error 22)";
const EFBIG: &str = "File too large (os error 27)";
const ESPIPE: &str = "Illegal seek (os error 29)";

fn error<T: Debug>(result: io::Result<T>) -> String {
    result.unwrap_err().to_string()
}

fn content(mut file: File) -> Vec<u8> {
    let mut data = Vec::new();
    file.read_to_end(&mut data).unwrap();
    data
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
fn the_whole_interface() {
    let flags = Flags::ALLOW_SEALING | Flags::EXEC;
    assert_eq!("exec|allow-sealing".parse::<Flags>().unwrap(), flags);
    let file = memfd::new("name", flags).unwrap();
    memfd::seal(&file, Seals::GROW | Seals::SHRINK).unwrap();
    assert_eq!(memfd::get_seals(&file).unwrap().to_string(), "shrink,grow");
    memfd::check_seals(&file, Seals::GROW).unwrap();
    assert_eq!(error(memfd::check_seals(&file, Seals::WRITE)), EPERM);

    let sized = memfd::new_sized("name", Flags::CLOEXEC, 5, Seals::GROW).unwrap();
    assert_eq!(sized.metadata().unwrap().len(), 5);
    memfd::check_seals(&sized, Seals::GROW).unwrap();

    let sealed = memfd::new_sealed("name", Flags(0), b"a\0b").unwrap();
    memfd::check_seals(&sealed, Seals::IMMUTABLE | Seals::SEAL).unwrap();
    assert_eq!(content(sealed), b"a\0b");

    for max in [5, usize::MAX] {
        let copy = memfd::new_sealed_copy("name", Flags(0), &sized, max).unwrap();
        memfd::check_seals(&copy, Seals::IMMUTABLE).unwrap();
        assert_eq!(content(copy), [0; 5]);
    }
    let copy = memfd::new_sealed_copy("name", Flags(0), &sized, 4);
    assert_eq!(error(copy), EFBIG);
    assert_eq!(Seals(0x48).to_string(), "write,0x40");
}

#[test]
fn errors() {
    let flags = |names: &str| error(names.parse::<Flags>());
    assert_eq!(flags("exec|spärkling exec"), "invalid flag: spärkling");
    assert_eq!(flags("huge-2mb,huge-1gb"), "invalid flag: huge-1gb");
    assert!(flags("exec\0x").contains("nul byte"));
    assert!(error(memfd::new("a\0b", Flags(0))).contains("nul byte"));
    let seals = "write\tfrozen".parse::<Seals>();
    assert_eq!(error(seals), "invalid seal: frozen");
    let closed = memfd::new("name", Flags(0)).unwrap().as_raw_fd();
    let closed = unsafe { BorrowedFd::borrow_raw(closed) };
    assert_eq!(error(memfd::get_seals(closed)), EBADF);
}

#[test]
fn nothing_is_left_open_and_each_thread_has_its_own_error() {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let (socket, _peer) = UnixStream::pair().unwrap();
    let long = "x".repeat(250);
    let before = descriptors();
    let fail = || {
        for _ in 0..1000 {
            assert_eq!(error(memfd::new(&long, Flags(0))), EINVAL);
            let unknown = memfd::new_sized("name", Flags(0), 1, Seals(1 << 30));
            assert_eq!(error(unknown), EINVAL);
        }
    };
    let fail_differently = || {
        for _ in 0..1000 {
            let copy = memfd::new_sealed_copy("name", Flags(0), &socket, 1);
            assert_eq!(error(copy), ESPIPE);
            let file = memfd::new("name", Flags(0)).unwrap();
            assert_eq!(error(memfd::seal(&file, Seals::GROW)), EPERM);
        }
    };
    thread::scope(|scope| {
        scope.spawn(fail);
        scope.spawn(fail_differently);
    });
    assert_eq!(descriptors(), before);
}
