# SPDX-License-Identifier: MIT
package Memfd;

=head1 NAME

Memfd - libmemfd 1.0.0 for Perl: memory files with safe defaults, and their seals

=head1 SYNOPSIS

    use Memfd;

    my $file = Memfd->new_sealed('greeting', 'hello, world');
    $file->check_seals('immutable');
    print readline $file;    # hello, world

=head1 DESCRIPTION

Copy this file into your project. It needs libmemfd.so.1 and FFI::Platypus.

    Memfd->new($name, $flags)                       an empty memfd
    Memfd->new_sized($name, $size, $seals, $flags)  of $size zero bytes, sealed
    Memfd->new_sealed($name, $data, $flags)         that can never change
    Memfd->new_sealed_copy($name, $file, $max, $flags)
    $file->seal($seals)
    $file->get_seals                                a number
    $file->check_seals($seals)                      or die; others may be set, too
    Memfd::parse_flags($names)                      a number
    Memfd::parse_seals($names)                      a number; no name is 0
    Memfd::format_seals($seals)                     'shrink,grow'

The first four return an L<IO::File>; the other methods are also functions for any
handle or descriptor: C<Memfd::check_seals($fd, 'shrink')>. Flags and seals are
names, C<'allow-sealing,huge-2mb'>, or constants joined by C<|>: Memfd::EXEC,
Memfd::SEAL_WRITE, as in C. $flags and the $seals of new_sized may be left out. A
file of more than $max bytes is EFBIG: set it if the file comes from somebody else.
To verify a file that you received, use check_seals.

All die with a message if an argument is of the wrong type, negative, too large or
an unknown name, or has a null byte or, as content, wide characters; or with C<$!>
set, which the manual page of the C function explains.

=cut

use v5.20;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';
use parent 'IO::File';
use Carp  qw(croak);
use Errno qw(EBADF);
use constant;
use FFI::Platypus 2.00;
use FFI::Platypus::Buffer qw(scalar_to_buffer);
use FFI::Platypus::DL     qw(dlopen dlerror RTLD_PLATYPUS_DEFAULT);

dlopen('libmemfd.so.1', RTLD_PLATYPUS_DEFAULT)
  or die dlerror(),
  ': install libmemfd, or add its folder to LD_LIBRARY_PATH';

# Attached like this, and with the object gone, they work in threads, too.
for (
    [new             => qw(string uint)],
    [new_sized       => qw(string uint size_t uint)],
    [new_sealed      => qw(string uint opaque size_t)],
    [new_sealed_copy => qw(string uint int size_t)],
    [seal            => qw(int uint)],
    [get_seals       => qw(int)],
    [check_seals     => qw(int uint)],
    [parse_flags     => qw(string uint* size_t*)],
    [parse_seals     => qw(string uint* size_t*)],
    [format_seals    => qw(uint opaque size_t)],
  )
{
    my ($name, @types) = @$_;
    FFI::Platypus->new(api => 2, lib => 'libmemfd.so.1')
      ->attach(["memfd_$name" => "Memfd::C::$name"] => \@types => 'int');
}

constant->import($_ => parse_flags($_))
  for qw(CLOEXEC ALLOW_SEALING HUGETLB NOEXEC_SEAL EXEC INHERIT
  HUGE_64KB HUGE_512KB HUGE_1MB HUGE_2MB HUGE_8MB HUGE_16MB
  HUGE_32MB HUGE_256MB HUGE_512MB HUGE_1GB HUGE_2GB HUGE_16GB);
constant->import("SEAL_$_" => parse_seals($_))
  for qw(SEAL SHRINK GROW WRITE FUTURE_WRITE EXEC IMMUTABLE);

sub new ($class, $name, $flags = 0) {
    return _file($class, '+<', $name, $flags, 'new');
}

sub new_sized ($class, $name, $size, $seals = 0, $flags = 0) {
    my @numbers = (_number($size, ~0), _bits(seal => $seals // 0));
    return _file($class, '+<', $name, $flags, new_sized => @numbers);
}

sub new_sealed ($class, $name, $data, $flags = 0) {
    croak 'the data is not a string' if !defined $data || ref $data;
    utf8::downgrade($data, 1) or croak 'wide character in the data';
    return _file($class, '<', $name, $flags, new_sealed => scalar_to_buffer($data));
}

sub new_sealed_copy ($class, $name, $file, $max = ~0, $flags = 0) {
    my @numbers = (_fd($file), _number($max // ~0, ~0));
    return _file($class, '<', $name, $flags, new_sealed_copy => @numbers);
}

sub seal ($file, $seals) {
    return _call(seal => _fd($file), _bits(seal => $seals));
}

sub get_seals ($file) {
    return _call(get_seals => _fd($file));
}

sub check_seals ($file, $seals) {
    return _call(check_seals => _fd($file), _bits(seal => $seals));
}

sub parse_flags ($names) { return _parse(flag => $names) }
sub parse_seals ($names) { return _parse(seal => $names) }

sub format_seals ($seals) {
    my $text   = "\0" x 128;
    my @buffer = scalar_to_buffer($text);
    return substr $text, 0, _call(format_seals => _number($seals), @buffer);
}

sub _call ($function, @arguments) {
    my $result = Memfd::C->can($function)->(@arguments);
    croak "memfd_$function: $!" if $result < 0;
    return $result;
}

sub _file ($class, $mode, $name, $flags, $function, @more) {
    $flags = _bits(flag => $flags // 0);
    my @arguments = (_string($name), $flags, @more);
    my $call      = Memfd::C->can($function);
    my ($file, $fd);

    # Perl sets close-on-exec by itself, on descriptors above $^F.
    local $^F = $flags & INHERIT() ? 0x7fffffff : -1;

    # In one expression: no signal handler that dies comes in between. What C
    # leaves in $! outlives the attempt to open -1.
    open $file, "$mode&=", $fd = $call->(@arguments);
    return bless $file, $class if $fd >= 0;
    croak "memfd_$function: $!";
}

sub _string ($text) {
    croak 'not a string'          if !defined $text || ref $text;
    croak 'null byte in a string' if $text =~ /\0/;
    utf8::encode($text)           if utf8::is_utf8($text);
    return $text;
}

sub _number ($value, $most = 0xffffffff) {
    croak 'not a whole number' if ($value // '') !~ /\A[0-9]+\z/;
    $value =~ s/\A0+(?=.)//;
    croak "$value is too large"
      if length $value > length $most
      || length $value == length $most && $value gt $most;
    return $value;
}

sub _fd ($file) {
    return _number($file, 0x7fffffff) if !ref $file && ref \$file ne 'GLOB';
    return fileno $file // do { $! = EBADF; croak "$!" };
}

sub _bits ($kind, $value) {
    return _number($value) if ($value // '') =~ /\A[0-9]+\z/;
    my $number = _parse($kind, $value);
    croak 'no seal is named'
      if $kind eq 'seal' && $number == 0 && $value !~ /0/;
    return $number;
}

sub _parse ($kind, $names) {
    my $text = _string($names);
    my ($number, $stop);
    return $number
      if Memfd::C->can("parse_${kind}s")->($text, \$number, \$stop) == 0;
    my ($word) = substr($text, $stop) =~ /([^,|\s]*)/a;
    utf8::decode($word) if utf8::is_utf8($names);
    croak "invalid $kind: $word";
}

1;
