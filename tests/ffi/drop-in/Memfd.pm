# SPDX-License-Identifier: MIT
# Memory files with the methods of Linux::FD::Mem, over libmemfd: a class to
# copy. Unlike there, a file is not executable unless 'exec' is asked for, and
# since Linux 6.3 'exec' is among the seals of one that can be sealed.
package Memfd;

use v5.20;
use warnings;
use parent 'IO::File';
use Carp qw(croak);
use FFI::Platypus 2.00;
use FFI::Platypus::Buffer qw(scalar_to_buffer);

my $ffi = FFI::Platypus->new(api => 2, lib => 'libmemfd.so.1');
my %parse = map {
    $_ => $ffi->function("memfd_parse_${_}s" => ['string', 'uint*', 'size_t*'],
        'int')
} qw(flag seal);
my $new = $ffi->function(memfd_new => ['string', 'uint'], 'int');
my $seal = $ffi->function(memfd_seal => ['int', 'uint'], 'int');
my $get_seals = $ffi->function(
    memfd_get_seals_str => ['int', 'opaque', 'size_t'], 'int');

sub parse {
    my ($kind, @words) = @_;
    my $text = join ',', @words;
    my ($number, $end);
    $parse{$kind}->call($text, \$number, \$end) == 0
        or croak "Invalid $kind: ", substr($text, $end) =~ /([^,|\s]*)/;
    return $number;
}

sub new {
    my ($class, $name, @flags) = @_;
    my $flags = parse(flag => @flags);
    my $fd = $new->call($name, $flags);
    croak "Can't open memfd '$name': $!" if $fd < 0;
    # Perl has its own mind about close-on-exec: above $^F, it is set.
    local $^F = $fd if $flags & parse(flag => 'inherit');
    return $class->new_from_fd($fd, 'r+');
}

sub seal {
    my ($self, @seals) = @_;
    $seal->call($self->fileno, parse(seal => @seals)) == 0
        or croak "Can't seal memfd: $!";
    return;
}

sub get_seals {
    my ($self) = @_;
    my $text = "\0" x 128;
    my ($pointer, $size) = scalar_to_buffer($text);
    my $length = $get_seals->call($self->fileno, $pointer, $size);
    croak "Can't get seals of memfd: $!" if $length < 0;
    return split /,/, substr $text, 0, $length;
}

1;
