# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# libmemfd from Ruby, with Fiddle of its standard library.

require 'fiddle/import'

module Memfd
  module C
    extend Fiddle::Importer
    dlload 'libmemfd.so.1'
    extern 'int memfd_new(const char *, unsigned int)'
    extern 'int memfd_seal(int, unsigned int)'
    extern 'int memfd_get_seals_str(int, char *, size_t)'
    extern 'int memfd_check_seals_str(int, const char *)'
    extern 'int memfd_new_sealed(char *, unsigned int, void *, size_t)'
    extern 'int memfd_parse_flags(const char *, unsigned int *, size_t *)'
    extern 'int memfd_parse_seals(const char *, unsigned int *, size_t *)'
  end

  module_function

  def new(name, flags = '')
    IO.for_fd(call(:memfd_new, name, parse(:flag, flags)), 'r+b')
  end

  def new_sealed(name, data, flags = '')
    flags = parse(:flag, flags)
    fd = call(:memfd_new_sealed, name, flags, data, data.bytesize)
    IO.for_fd(fd, 'rb')
  end

  def seal(io, seals)
    call(:memfd_seal, io.fileno, parse(:seal, seals))
  end

  def seals(io)
    text = "\0".b * 128
    text[0, call(:memfd_get_seals_str, io.fileno, text, text.size)].split(',')
  end

  def check_seals(io, seals)
    call(:memfd_check_seals_str, io.fileno, seals)
  end

  # -1 and errno become Errno::EPERM and the like.
  def call(function, *arguments)
    result = C.public_send(function, *arguments)
    raise SystemCallError.new(nil, Fiddle.last_error) if result.negative?

    result
  end

  def parse(kind, text)
    number = [0].pack('I')
    stop = [0].pack('J')
    result = C.public_send("memfd_parse_#{kind}s", text, number, stop)
    return number.unpack1('I') unless result.negative?

    word = text.byteslice(stop.unpack1('J')..)[/[^,|\s]*/]
    raise ArgumentError, "invalid #{kind}: #{word}"
  end
end

buf = Memfd.new('buf', 'allow-sealing')
puts "wrote: #{buf.syswrite('hello')} bytes"
Memfd.seal(buf, 'seal,immutable')
# Linux 6.3 and later add "exec" by themselves.
puts "seals: #{(Memfd.seals(buf) - ['exec']).join(',')}"
Memfd.check_seals(buf, 'immutable')
puts 'immutable: yes'

begin
  buf.syswrite('again')
rescue Errno::EPERM => e
  puts "write: #{e.message.split(' @').first}"
end
begin
  Memfd.new('buf', 'allow-sealing,sparkling')
rescue ArgumentError => e
  puts "new: #{e.message}"
end
begin
  Memfd.seal(buf, 'write|frozen')
rescue ArgumentError => e
  puts "seal: #{e.message}"
end

reader, = IO.pipe
begin
  Memfd.check_seals(reader, 'immutable')
rescue Errno::EINVAL => e
  puts "pipe: #{e.message}"
end
begin
  Memfd.check_seals(Memfd.new('unsealed'), 'immutable')
rescue Errno::EPERM => e
  puts "unsealed: #{e.message}"
end

puts "sealed: #{Memfd.new_sealed('greeting', 'hello, world').read}"
