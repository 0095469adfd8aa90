# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# What memfd.rb promises, and the transcript in ../expected.

require 'fcntl'
require 'minitest/autorun'
require 'timeout'
require_relative 'memfd'

class MemfdTest < Minitest::Test
  LONG = 'x' * 250

  def descriptors
    Dir.children('/proc/self/fd').size
  end

  # What went wrong, without the name of the call.
  def reason
    yield
  rescue SystemCallError, ArgumentError => e
    e.message.sub(/ [-@] .*/, '')
  end

  def transcript
    Memfd.new('buf', Memfd::ALLOW_SEALING) do |buf|
      puts "wrote: #{buf.write('hello')} bytes"
      puts "unsealed: #{reason { Memfd.check_seals(buf, 'immutable') }}"
      Memfd.seal(buf, 'seal,immutable')
      # Linux 6.3 and later add SEAL_EXEC by themselves.
      puts "seals: #{Memfd.format_seals(Memfd.get_seals(buf) & ~Memfd::SEAL_EXEC)}"
      Memfd.check_seals(buf, Memfd::SEAL_IMMUTABLE)
      puts 'immutable: yes'
      puts "write: #{reason { buf.write('again') }}"
      puts "new: #{reason { Memfd.new('buf', 'allow-sealing,sparkling') }}"
      puts "seal: #{reason { Memfd.seal(buf, 'write|frozen') }}"
    end
    puts "stdin: #{reason { Memfd.check_seals($stdin, 'immutable') }}"
    puts "sealed: #{Memfd.new_sealed('greeting', 'hello, world', &:read)}"
  end

  def test_transcript
    assert_output(File.read("#{__dir__}/../expected")) { transcript }
  end

  def test_constants_are_those_of_the_library
    seals, flags = Memfd.constants.partition { |name| name.start_with?('SEAL_') }
    flags.each { |name| assert_equal Memfd.const_get(name), Memfd.parse_flags(name.to_s) }
    seals.each { |name| assert_equal Memfd.const_get(name), Memfd.parse_seals("F_#{name}") }
  end

  def test_what_the_transcript_leaves_out
    assert_predicate Memfd.new('name'), :close_on_exec?
    assert_equal :block, Memfd.new_sized('name', 1, '0') { :block }
    sized = Memfd.new_sized('name', 5, 'grow', 'exec|inherit')
    assert_equal [5, 0o777], [sized.stat.size, sized.stat.mode & 0o777]
    assert_equal 0, sized.fcntl(Fcntl::F_GETFD)
    Memfd.seal(sized.fileno, Memfd::SEAL_SHRINK)
    Memfd.check_seals(sized.fileno, Memfd::SEAL_GROW | Memfd::SEAL_SHRINK)
    assert_raises(Errno::EFBIG) { Memfd.new_sealed_copy('name', sized, 4) }
    sealed = Memfd.new_sealed('name', "a\0\xff")
    assert_equal "a\0\xff".b, Memfd.new_sealed_copy('name', sealed, &:read)
    assert_equal "a\0\xff".b, Memfd.new_sealed_copy('name', sealed, 3, &:read)
    assert_equal 0, Memfd.parse_seals('')
    assert_equal 'write,0x40', Memfd.format_seals(0x48)
  end

  def test_refused_before_the_library_is_called
    [
      [TypeError, :new_sealed, 'name', 5], [TypeError, :new_sealed, 'name', nil],
      [TypeError, :new, 5], [TypeError, :new, 'name', 1.0], [TypeError, :new, 'name', nil],
      [TypeError, :seal, 0, nil], [TypeError, :seal, '0', 8], [TypeError, :new_sized, 'name', '5'],
      [ArgumentError, :new, "a\0b"], [ArgumentError, :new, 'name', "exec\0x"],
      [ArgumentError, :parse_seals, "\u6f77".encode('UTF-16LE')],
      [ArgumentError, :seal, 0, ', '], [ArgumentError, :check_seals, 0, ''],
      [RangeError, :new, 'name', 1 << 32], [RangeError, :seal, 0, -1],
      [RangeError, :seal, 1 << 32, 8], [RangeError, :format_seals, 1 << 32],
      [RangeError, :new_sized, 'name', -1], [RangeError, :new_sized, 'name', 1 << 64],
      [RangeError, :new_sealed_copy, 'name', 0, -1]
    ].each do |error, method, *arguments|
      assert_raises(error, arguments.inspect) { Memfd.public_send(method, *arguments) }
    end
    refused = reason { Memfd.new('name', 'exec|spärkling exec') }
    assert_equal 'invalid flag: spärkling', refused
  end

  def test_a_file_that_is_closed
    io = Memfd.new('name')
    fd = io.fileno
    io.close
    assert_raises(IOError) { Memfd.get_seals(io) }
    assert_raises(Errno::EBADF) { Memfd.get_seals(fd) }
  end

  def test_errors_leave_nothing_open_and_each_thread_has_its_own
    IO.pipe do |reader,|
      GC.start
      before = descriptors
      [
        [Errno::EINVAL, :new, LONG], [Errno::EINVAL, :new_sized, 'name', 1, 1 << 30],
        [Errno::EINVAL, :new_sealed, 'name', 'text', 'hugetlb'],
        [Errno::ESPIPE, :new_sealed_copy, 'name', reader],
        [Errno::EBADF, :get_seals, -1], [ZeroDivisionError, :new, 'name']
      ].map do |error, *call|
        Thread.new { 1000.times { assert_raises(error) { Memfd.public_send(*call) { 1 / 0 } } } }
      end.each(&:join)
      assert_operator descriptors, :<=, before
    end
  end

  # Each call takes some 20 ms, and another thread runs meanwhile.
  def test_nothing_is_left_open_by_a_timeout
    data = 'x' * (64 << 20)
    GC.start
    before = descriptors
    10.times do
      assert_raises(Timeout::Error) { Timeout.timeout(0.005) { loop { Memfd.new_sealed('name', data) } } }
    end
    GC.start
    assert_operator descriptors, :<=, before
  end
end
