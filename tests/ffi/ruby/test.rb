# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# What memfd.rb promises.

require 'fcntl'
require 'minitest/autorun'
require 'timeout'
require_relative 'memfd'

class MemfdTest < Minitest::Test
  LONG = 'x' * 250

  def descriptors
    Dir.children('/proc/self/fd').size
  end

  def test_constants_are_those_of_the_library
    seals, flags = Memfd.constants.partition { |name| name.start_with?('SEAL_') }
    flags.each { |name| assert_equal Memfd.const_get(name), Memfd.parse_flags(name.to_s) }
    seals.each { |name| assert_equal Memfd.const_get(name), Memfd.parse_seals("F_#{name}") }
  end

  def test_new_and_seal
    [Memfd::ALLOW_SEALING | Memfd::INHERIT, 'inherit|allow-sealing'].each do |flags|
      Memfd.new('name', flags) do |io|
        assert_equal 0, io.fcntl(Fcntl::F_GETFD)
        Memfd.seal(io, Memfd::SEAL_GROW)
        Memfd.seal(io.fileno, 'shrink')
        assert_equal 6, Memfd.get_seals(io) & ~Memfd::SEAL_EXEC
        Memfd.check_seals(io, 'grow,shrink')
        assert_raises(Errno::EPERM) { Memfd.check_seals(io, 8) }
      end
    end
    assert_predicate Memfd.new('name'), :close_on_exec?
  end

  def test_content
    assert_equal :block, Memfd.new_sized('name', 1, '0') { :block }
    sized = Memfd.new_sized('name', 5, 'grow', 'exec')
    assert_equal [5, 0o777], [sized.stat.size, sized.stat.mode & 0o777]
    Memfd.check_seals(sized, Memfd::SEAL_GROW)
    assert_raises(Errno::EFBIG) { Memfd.new_sealed_copy('name', sized, 4) }
    sealed = Memfd.new_sealed('name', "a\0\xff")
    Memfd.check_seals(sealed, Memfd::SEAL_IMMUTABLE | Memfd::SEAL_SEAL)
    assert_equal "a\0\xff".b, Memfd.new_sealed_copy('name', sealed, &:read)
    assert_equal "a\0\xff".b, Memfd.new_sealed_copy('name', sealed, 3, &:read)
  end

  def test_names
    assert_equal 0x54000014, Memfd.parse_flags('exec, huge-2mb')
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
  end

  def test_the_refused_word_is_named
    error = assert_raises(ArgumentError) { Memfd.new('name', 'exec|spärkling exec') }
    assert_equal 'invalid flag: spärkling', error.message
    error = assert_raises(ArgumentError) { Memfd.seal(0, "write\tfrozen") }
    assert_equal 'invalid seal: frozen', error.message
  end

  def test_a_file_that_is_closed
    io = Memfd.new('name')
    fd = io.fileno
    io.close
    assert_raises(IOError) { Memfd.get_seals(io) }
    assert_raises(Errno::EBADF) { Memfd.get_seals(fd) }
  end

  def test_nothing_is_left_open
    IO.pipe do |reader,|
      GC.start
      before = descriptors
      1000.times do
        assert_raises(Errno::EINVAL) { Memfd.new(LONG) }
        assert_raises(Errno::EINVAL) { Memfd.new_sized('name', 1, 0x40000000) }
        assert_raises(Errno::EINVAL) { Memfd.new_sealed('name', 'text', Memfd::HUGETLB) }
        assert_raises(Errno::ESPIPE) { Memfd.new_sealed_copy('name', reader) }
        assert_raises(ZeroDivisionError) { Memfd.new('name') { 1 / 0 } }
      end
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

  def test_each_thread_has_its_own_errno
    [[Errno::EBADF, :get_seals, -1], [Errno::EINVAL, :new, LONG]].map do |error, *call|
      Thread.new { 1000.times { assert_raises(error) { Memfd.public_send(*call) } } }
    end.each(&:join)
  end
end
