# SPDX-License-Identifier: MIT
# frozen_string_literal: true

require 'fiddle'

# libmemfd 1.0.0 for Ruby: memory files with safe defaults, and their seals.
#
# Copy this file into your project. It needs libmemfd.so.1, and fiddle of Ruby's
# standard library.
#
# Methods that create a memfd return an IO; with a block, they yield it, close it
# afterwards, and return what the block returns. The others take an IO, or a
# descriptor. Flags and seals are constants joined by |, or names:
# 'allow-sealing,huge-2mb'.
#
# Every method raises a SystemCallError (Errno::EPERM and so on), which the manual
# page of the C function explains; ArgumentError for an unknown name, or a null
# byte in a string; RangeError for a number that is negative or too large; and
# TypeError for what is of the wrong type.
#
# @example
#   require_relative 'memfd'
#
#   Memfd.new_sealed('greeting', 'hello, world') do |io|
#     Memfd.check_seals(io, 'immutable')
#     puts io.read # hello, world
#   end
module Memfd
  # Flags for a new memfd; see memfd_new(3).
  CLOEXEC, ALLOW_SEALING, HUGETLB = 0x0001, 0x0002, 0x0004
  NOEXEC_SEAL, EXEC, INHERIT = 0x0008, 0x0010, 0x02000000
  HUGE_64KB, HUGE_512KB, HUGE_1MB = 0x40000004, 0x4c000004, 0x50000004
  HUGE_2MB, HUGE_8MB, HUGE_16MB = 0x54000004, 0x5c000004, 0x60000004
  HUGE_32MB, HUGE_256MB, HUGE_512MB = 0x64000004, 0x70000004, 0x74000004
  HUGE_1GB, HUGE_2GB, HUGE_16GB = 0x78000004, 0x7c000004, 0x88000004

  # Seals of a memfd; see memfd_seal(3).
  SEAL_SEAL, SEAL_SHRINK, SEAL_GROW, SEAL_WRITE = 0x01, 0x02, 0x04, 0x08
  SEAL_FUTURE_WRITE, SEAL_EXEC, SEAL_IMMUTABLE = 0x10, 0x20, 0x0e

  begin
    LIBRARY = Fiddle.dlopen('libmemfd.so.1')
  rescue Fiddle::DLError => e
    raise LoadError, "#{e.message}: install libmemfd, or add its folder to LD_LIBRARY_PATH"
  end

  int, uint, size, pointer = Fiddle::TYPE_INT, -Fiddle::TYPE_INT, Fiddle::TYPE_SIZE_T, Fiddle::TYPE_VOIDP
  FUNCTIONS = {
    new: [pointer, uint], new_sized: [pointer, uint, size, uint],
    new_sealed: [pointer, uint, pointer, size], new_sealed_copy: [pointer, uint, int, size],
    seal: [int, uint], get_seals: [int], check_seals: [int, uint],
    parse_flags: [pointer, pointer, pointer], parse_seals: [pointer, pointer, pointer],
    format_seals: [uint, pointer, size]
  }.to_h { |name, types| [name, Fiddle::Function.new(LIBRARY["memfd_#{name}"], types, int)] }.freeze
  SIZE_MAX = 256**Fiddle::SIZEOF_SIZE_T - 1
  private_constant :LIBRARY, :FUNCTIONS, :SIZE_MAX

  class << self
    # Creates an empty memfd.
    def new(name, flags = 0, &block)
      open('r+b', block, :new, name, flags)
    end

    # Creates a memfd of size zero bytes, and adds seals.
    def new_sized(name, size, seals = 0, flags = 0, &block)
      open('r+b', block, :new_sized, name, flags, number(size, SIZE_MAX), bits(:seal, seals))
    end

    # Creates a memfd with the bytes of a String, which can never change.
    def new_sealed(name, data, flags = 0, &block)
      data = bytes(data)
      open('rb', block, :new_sealed, name, flags, data, data.bytesize)
    end

    # Creates a memfd with a copy of a file, which can never change. More than max
    # bytes are Errno::EFBIG: set it if the file comes from somebody else.
    def new_sealed_copy(name, io, max = SIZE_MAX, flags = 0, &block)
      open('rb', block, :new_sealed_copy, name, flags, fd(io), number(max, SIZE_MAX))
    end

    # Adds seals: all of them or, on error, none.
    def seal(io, seals) = call(:seal, fd(io), bits(:seal, seals))

    # Returns the seals. To verify a file that you received, use check_seals.
    def get_seals(io) = call(:get_seals, fd(io))

    # Raises unless all the given seals are set; others may be, too.
    def check_seals(io, seals) = call(:check_seals, fd(io), bits(:seal, seals))

    # Converts names of flags to a number.
    def parse_flags(names) = parse(:flag, names)

    # Converts names of seals to a number; no name is 0.
    def parse_seals(names) = parse(:seal, names)

    # Converts seals to names: 'shrink,grow'.
    def format_seals(seals)
      text = "\0" * 128
      text[0, call(:format_seals, number(seals), text, text.size)]
    end

    private

    def call(function, *arguments)
      result = FUNCTIONS[function].call(*arguments)
      raise SystemCallError.new("memfd_#{function}", Fiddle.last_error) if result.negative?

      result
    end

    # Nothing that Timeout or Thread#raise throws comes between call and IO.
    def open(mode, block, function, name, flags, *more)
      arguments = [string(name), bits(:flag, flags), *more]
      io = Thread.handle_interrupt(Object => :never) { IO.for_fd(call(function, *arguments), mode) }
      io.sync = true
      return io unless block

      begin
        block.call(io)
      ensure
        io.close
      end
    end

    # A copy, since another thread may change the string during the call.
    def bytes(data)
      String.try_convert(data)&.dup&.freeze or raise TypeError, "#{data.inspect} is not a String"
    end

    def string(text)
      bytes(text).tap { |t| raise ArgumentError, 'null byte in a string' if t.b.include?("\0") }
    end

    def number(value, most = 0xffffffff, least = 0)
      raise TypeError, "#{value.inspect} is not an Integer" unless value.is_a?(Integer)
      raise RangeError, "#{value} is not from #{least} to #{most}" unless value.between?(least, most)

      value
    end

    def fd(io) = number(io.respond_to?(:fileno) ? io.fileno : io, 0x7fffffff, -1)

    def bits(kind, value)
      return number(value) unless value.is_a?(String)

      number = parse(kind, value)
      raise ArgumentError, 'no seal is named' if kind == :seal && number.zero? && !value.include?('0')

      number
    end

    def parse(kind, names)
      number, stop = [0].pack('I'), [0].pack('J')
      result = FUNCTIONS[:"parse_#{kind}s"].call(string(names), number, stop)
      return number.unpack1('I') unless result.negative?

      word = names.b.byteslice(stop.unpack1('J')..)[/[^,|\s]*/].force_encoding('UTF-8').scrub
      raise ArgumentError, "invalid #{kind}: #{word}"
    end
  end
end
