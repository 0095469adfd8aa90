-- SPDX-License-Identifier: MIT
-- libmemfd from LuaJIT, with its ffi.
local ffi = require("ffi")

ffi.cdef [[
int memfd_new(const char *name, unsigned int flags);
int memfd_seal(int fd, unsigned int seals);
int memfd_get_seals_str(int fd, char *buf, size_t size);
int memfd_check_seals_str(int fd, const char *seals);
int memfd_new_sealed_str(const char *name, const char *flags, const void *data,
			 size_t size);
int memfd_parse_flags(const char *names, unsigned int *flags, size_t *stop);
int memfd_parse_seals(const char *names, unsigned int *seals, size_t *stop);

char *strerror(int errnum);
int close(int fd);
ssize_t write(int fd, const void *buf, size_t count);
ssize_t read(int fd, void *buf, size_t count);
]]
local lib = ffi.load("libmemfd.so.1")

-- The result; where that is -1, an error with what errno says.
local function check(result)
  if result < 0 then
    error(ffi.string(ffi.C.strerror(ffi.errno())), 0)
  end
  return tonumber(result)
end

-- The number that a text names; kind is "flag" or "seal".
local function parse(kind, text)
  local number, stop = ffi.new("unsigned int[1]"), ffi.new("size_t[1]")
  if lib["memfd_parse_" .. kind .. "s"](text, number, stop) < 0 then
    local word = text:match("[^,|%s]*", tonumber(stop[0]) + 1)
    error("invalid " .. kind .. ": " .. word, 0)
  end
  return number[0]
end

local function new(name, flags)
  return check(lib.memfd_new(name, parse("flag", flags)))
end

local function seal(fd, seals)
  check(lib.memfd_seal(fd, parse("seal", seals)))
end

local function get_seals(fd)
  local text = ffi.new("char[128]")
  return ffi.string(text, check(lib.memfd_get_seals_str(fd, text, 128)))
end

local function check_seals(fd, seals)
  check(lib.memfd_check_seals_str(fd, seals))
end

local function write(fd, data)
  return check(ffi.C.write(fd, data, #data))
end

local function reason(...)
  return select(2, pcall(...))
end

local fd = new("buf", "allow-sealing")
print("wrote: " .. write(fd, "hello") .. " bytes")
print("unsealed: " .. reason(check_seals, fd, "immutable"))
seal(fd, "seal,immutable")
print("seals: " .. get_seals(fd))
check_seals(fd, "immutable")
print("immutable: yes")
print("write: " .. reason(write, fd, "again"))
print("new: " .. reason(new, "buf", "allow-sealing,sparkling"))
print("seal: " .. reason(seal, fd, "write|frozen"))
print("stdin: " .. reason(check_seals, 0, "immutable"))
ffi.C.close(fd)

local data, text = "hello, world", ffi.new("char[64]")
fd = check(lib.memfd_new_sealed_str("greeting", "", data, #data))
print("sealed: " .. ffi.string(text, check(ffi.C.read(fd, text, 64))))
ffi.C.close(fd)
