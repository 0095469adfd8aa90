# SPDX-License-Identifier: MIT
# libmemfd from Perl, with FFI::Platypus.
use v5.20;
use warnings;
use autodie;
use Carp qw(croak);
use FFI::Platypus 2.00;
use FFI::Platypus::Buffer qw(scalar_to_buffer);

my $ffi = FFI::Platypus->new(api => 2, lib => 'libmemfd.so.1');

# A function dies with what errno, which is $!, says.
sub check {
    my ($function, @arguments) = @_;
    my $result = $function->(@arguments);
    croak "$!" if $result < 0;
    return $result;
}

$ffi->attach(memfd_new => ['string', 'uint'], 'int', \&check);
$ffi->attach(memfd_seal => ['int', 'uint'], 'int', \&check);
$ffi->attach(memfd_check_seals_str => ['int', 'string'], 'int', \&check);
$ffi->attach(memfd_new_sealed_str => ['string', 'string', 'string', 'size_t'],
    'int', \&check);
$ffi->attach(memfd_get_seals_str => ['int', 'opaque', 'size_t'], 'int',
    sub {
        my ($function, $fd) = @_;
        my $text = "\0" x 128;
        my ($pointer) = scalar_to_buffer($text);
        my $length = $function->($fd, $pointer, length $text);
        croak "$!" if $length < 0;
        return split /,/, substr $text, 0, $length;
    });

for my $kind (qw(flag seal)) {
    $ffi->attach("memfd_parse_${kind}s" => ['string', 'uint*', 'size_t*'],
        'int', sub {
            my ($function, $text) = @_;
            my ($number, $end);
            $function->($text, \$number, \$end) == 0
                or croak "invalid $kind: ", substr($text, $end) =~ /([^,|\s]*)/;
            return $number;
        });
}

# What an eval caught, without the place in the file.
sub reason { $@ =~ s/ at .*//sr }

my $fd = memfd_new('buf', memfd_parse_flags('allow-sealing'));
open my $buf, '+<&=', $fd;
say 'wrote: ', syswrite($buf, 'hello'), ' bytes';
memfd_seal($fd, memfd_parse_seals('seal,immutable'));
# Linux 6.3 and later add "exec" by themselves.
say 'seals: ', join ',', grep { $_ ne 'exec' } memfd_get_seals_str($fd);
memfd_check_seals_str($fd, 'immutable');
say 'immutable: yes';

{
    no autodie;
    syswrite $buf, 'again' or say "write: $!";
}
eval { memfd_new('buf', memfd_parse_flags('allow-sealing,sparkling')) };
say 'new: ', reason;
eval { memfd_seal($fd, memfd_parse_seals('write|frozen')) };
say 'seal: ', reason;

pipe my $reader, my $writer;
eval { memfd_check_seals_str(fileno($reader), 'immutable') };
say 'pipe: ', reason;

open my $unsealed, '+<&=', memfd_new('unsealed', 0);
eval { memfd_check_seals_str(fileno($unsealed), 'immutable') };
say 'unsealed: ', reason;

my $data = 'hello, world';
open my $greeting, '<&=',
    memfd_new_sealed_str('greeting', '', $data, length $data);
say 'sealed: ', <$greeting>;
