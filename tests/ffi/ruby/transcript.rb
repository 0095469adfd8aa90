# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# The transcript in ../expected, from Ruby.

require_relative 'memfd'

# What went wrong, without the name of the call.
def reason
  yield
rescue SystemCallError, ArgumentError => e
  e.message.sub(/ [-@] .*/, '')
end

Memfd.new('buf', Memfd::ALLOW_SEALING) do |buf|
  puts "wrote: #{buf.write('hello')} bytes"
  Memfd.seal(buf, 'seal,immutable')
  # Linux 6.3 and later add SEAL_EXEC by themselves.
  seals = Memfd.get_seals(buf) & ~Memfd::SEAL_EXEC
  puts "seals: #{Memfd.format_seals(seals)}"
  Memfd.check_seals(buf, Memfd::SEAL_IMMUTABLE)
  puts 'immutable: yes'
  puts "write: #{reason { buf.write('again') }}"
  puts "new: #{reason { Memfd.new('buf', 'allow-sealing,sparkling') }}"
  puts "seal: #{reason { Memfd.seal(buf, 'write|frozen') }}"
end

reader, = IO.pipe
puts "pipe: #{reason { Memfd.check_seals(reader, 'immutable') }}"
Memfd.new('unsealed') do |unsealed|
  puts "unsealed: #{reason { Memfd.check_seals(unsealed, 'immutable') }}"
end

puts "sealed: #{Memfd.new_sealed('greeting', 'hello, world', &:read)}"
