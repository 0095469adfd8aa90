# SPDX-License-Identifier: MIT
# What Memfd.pm promises.
use v5.20;
use warnings;
use utf8;
use threads;
use Fcntl   qw(F_GETFD FD_CLOEXEC);
use FindBin qw($Bin);
use Test::More;
use Time::HiRes qw(setitimer ITIMER_REAL);
use lib $Bin;
use Memfd;

my $long = 'x' x 250;
pipe my $pipe, my $writer or die $!;

sub descriptors { return scalar(() = glob '/proc/self/fd/*') }

# refused ERROR CODE: it dies with this message, at a line of the caller.
sub refused {
    my ($error, $action, $name) = @_;
    eval { $action->() };
    return like $@, qr/^\Q$error\E at \Q$0\E line/, $name // $error;
}

is Memfd::HUGE_16GB | Memfd::EXEC, 0x88000014, 'flags';
is Memfd::SEAL_IMMUTABLE,          14,         'seals';

for my $flags (Memfd::ALLOW_SEALING | Memfd::INHERIT, 'inherit|allow-sealing') {
    my $file = Memfd->new('name', $flags);
    isa_ok $file, 'IO::File';
    ok !(fcntl($file, F_GETFD, 0) & FD_CLOEXEC), 'stays open on exec';
    $file->seal(Memfd::SEAL_GROW);
    Memfd::seal(fileno $file, 'shrink');
    is $file->get_seals & ~Memfd::SEAL_EXEC, 6, 'two seals';
    $file->check_seals('grow,shrink');
    eval { $file->check_seals(8) };
    ok $!{EPERM}, 'another is missing';
}
ok fcntl(Memfd->new('name'), F_GETFD, 0) & FD_CLOEXEC, 'closed on exec';

my $sized = Memfd->new_sized('name', 5, 'grow', 'exec');
is -s $sized, 5, 'size';
is((stat $sized)[2] & oct 777, 0o777, 'mode');
$sized->check_seals(Memfd::SEAL_GROW);
Memfd->new_sized('name', 1, '0');

my $sealed = Memfd->new_sealed('name', "a\0\xff");
$sealed->check_seals(Memfd::SEAL_IMMUTABLE | Memfd::SEAL_SEAL);
is readline $sealed, "a\0\xff", 'content';

for my $max (undef, 5) {
    my $copy = Memfd->new_sealed_copy('name', $sized, $max);
    $copy->check_seals('immutable');
    is readline $copy, "\0" x 5, 'copy';
}
refused 'memfd_new_sealed_copy: File too large', sub { Memfd->new_sealed_copy('name', $sized, 4) };
ok $!{EFBIG}, 'errno';

is Memfd::parse_flags('exec, huge-2mb'), 0x54000014,   'names of flags';
is Memfd::parse_seals(''),               0,            'no name';
is Memfd::format_seals(0x48),            'write,0x40', 'names of seals';

# Before the library is called.
for (
    ['wide character in the data',        sub { Memfd->new_sealed('name', 'ł') }],
    ['the data is not a string',          sub { Memfd->new_sealed('name', ['a']) }],
    ['the data is not a string',          sub { Memfd->new_sealed('name') }],
    ['not a string',                      sub { Memfd->new(undef) }],
    ['invalid flag: 1.5',                 sub { Memfd->new('name', 1.5) }],
    ['invalid flag: -1',                  sub { Memfd->new('name', -1) }],
    ['not a whole number',                sub { Memfd->new_sized('name', 'five') }],
    ['not a whole number',                sub { Memfd->new_sized('name', -1) }],
    ['not a whole number',                sub { Memfd->new_sized('name', 2**65) }],
    ['not a whole number',                sub { Memfd->new_sealed_copy('name', $pipe, -1) }],
    ['null byte in a string',             sub { Memfd->new("a\0b") }],
    ['null byte in a string',             sub { Memfd->new('name', "exec\0x") }],
    ['4294967296 is too large',           sub { Memfd->new('name', 1 << 32) }],
    ['18446744073709551616 is too large', sub { Memfd->new_sized('name', '18446744073709551616') }],
    ['4294967296 is too large',           sub { Memfd::seal(1 << 32, 8) }],
    ['4294967296 is too large',           sub { Memfd::format_seals(1 << 32) }],
    ['not a whole number',                sub { Memfd::seal('STDIN', 8) }],
    ['not a string',                      sub { $sized->seal(undef) }],
    ['no seal is named',                  sub { $sized->seal(', ') }],
    ['no seal is named',                  sub { $sized->check_seals('') }],
    ['invalid seal: frozen',              sub { Memfd::parse_seals("write\tfrozen") }],
  )
{
    refused @$_;
}
eval { Memfd->new('name', 'exec|spärkling exec') };
like $@, qr/^invalid flag: spärkling at/, 'the flag that was refused';

my $closed = Memfd->new('name');
my $fd     = fileno $closed;
close $closed;
refused 'Bad file descriptor',                  sub { $closed->get_seals };
refused 'memfd_get_seals: Bad file descriptor', sub { Memfd::get_seals($fd) };

my $before = descriptors;
for (1 .. 1000) {
    eval { Memfd->new($long) };
    eval { Memfd->new('name', 'sparkling') };
    eval { Memfd->new_sized('name', 1, 0x40000000) };
    eval { Memfd->new_sealed('name', 'text', 'hugetlb') };
    eval { Memfd->new_sealed_copy('name', $pipe) };
    eval { Memfd::check_seals($pipe, 8) };
    eval { my $file = Memfd->new('name'); die };
}
is descriptors, $before, 'nothing is left open';

local $SIG{ALRM} = sub { die "interrupted\n" };
for my $i (1 .. 1000) {
    eval {
        setitimer(ITIMER_REAL, (20 + $i % 50) / 1e6);
        while (1) { my $file = Memfd->new('name') }
    };
    $@ eq "interrupted\n" or die $@;
}
is descriptors, $before, 'nor when a signal handler dies';

sub failures {
    my ($error, $action) = @_;
    my $seen = 0;
    for (1 .. 1000) {
        eval { $action->() };
        $seen++ if $!{$error};
    }
    return $seen;
}
my @threads = (
    threads->create(\&failures, 'EBADF',  sub { Memfd::get_seals(99) }),
    threads->create(\&failures, 'EINVAL', sub { Memfd->new($long) }),
);
is $_->join, 1000, 'each thread has its own errno' for @threads;

done_testing;
