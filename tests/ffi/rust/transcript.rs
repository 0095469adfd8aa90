// SPDX-License-Identifier: MIT
//! The transcript in ../expected, from Rust.

mod memfd;

use memfd::{Flags, Seals};
use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::raw::c_int;
use std::os::unix::io::FromRawFd;

/// What went wrong, without the number that io::Error adds.
fn reason<T>(result: io::Result<T>) -> String {
    let text = result.err().expect("should have been refused").to_string();
    text.split(" (os error").take(1).collect()
}

fn pipe() -> (File, File) {
    extern "C" {
        fn pipe(fds: *mut c_int) -> c_int;
    }
    let mut fds = [0; 2];
    assert_eq!(unsafe { pipe(fds.as_mut_ptr()) }, 0);
    unsafe { (File::from_raw_fd(fds[0]), File::from_raw_fd(fds[1])) }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut buf = memfd::new("buf", Flags::ALLOW_SEALING)?;
    println!("wrote: {} bytes", buf.write(b"hello")?);
    memfd::seal(&buf, "seal,immutable".parse()?)?;
    // Linux 6.3 and later add Seals::EXEC by themselves.
    let seals = memfd::get_seals(&buf)?.0 & !Seals::EXEC.0;
    println!("seals: {}", Seals(seals));
    memfd::check_seals(&buf, Seals::IMMUTABLE)?;
    println!("immutable: yes");

    println!("write: {}", reason(buf.write(b"again")));
    println!(
        "new: {}",
        reason("allow-sealing,sparkling".parse::<Flags>())
    );
    println!("seal: {}", reason("write|frozen".parse::<Seals>()));

    let (reader, _writer) = pipe();
    let refused = memfd::check_seals(reader, Seals::IMMUTABLE);
    println!("pipe: {}", reason(refused));
    let unsealed = memfd::new("unsealed", Flags(0))?;
    let refused = memfd::check_seals(unsealed, Seals::IMMUTABLE);
    println!("unsealed: {}", reason(refused));

    let mut text = String::new();
    memfd::new_sealed("greeting", Flags(0), b"hello, world")?.read_to_string(&mut text)?;
    println!("sealed: {text}");
    Ok(())
}
