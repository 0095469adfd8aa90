# SPDX-License-Identifier: MIT
# Memory files with the methods of Linux::FD::Mem, over libmemfd: a class to
# copy, with Memfd.pm of ../perl. Unlike there, a file is not executable unless
# 'exec' is asked for, and since Linux 6.3 'exec' is among the seals of one that
# can be sealed.
package MemFile;

use v5.20;
use warnings;
use parent 'Memfd';

sub new {
    my ($class, $name, @flags) = @_;
    return $class->SUPER::new($name, join ',', @flags);
}

sub seal {
    my ($self, @seals) = @_;
    return Memfd::seal($self, join ',', @seals);
}

sub get_seals {
    my ($self) = @_;
    return split /,/, Memfd::format_seals(Memfd::get_seals($self));
}

1;
