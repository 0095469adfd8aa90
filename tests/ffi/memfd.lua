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
int pipe(int fds[2]);
int close(int fd);
ssize_t write(int fd, const void *buf, size_t count);
ssize_t read(int fd, void *buf, size_t count);
]]
local lib = ffi.load("libmemfd.so.1")

-- As Lua's own io functions: the result, or nil and the reason.
local function check(result)
  if result < 0 then
    return nil, ffi.string(ffi.C.strerror(ffi.errno()))
  end
  return tonumber(result)
end

local function parse(kind, text)
  local number, stop = ffi.new("unsigned int[1]"), ffi.new("size_t[1]")
  if lib["memfd_parse_" .. kind .. "s"](text, number, stop) < 0 then
    local word = text:match("[^,|%s]*", tonumber(stop[0]) + 1)
    return nil, "invalid " .. kind .. ": " .. word
  end
  return number[0]
end

local function new(name, text)
  local flags, reason = parse("flag", text)
  if not flags then
    return nil, reason
  end
  return check(lib.memfd_new(name, flags))
end

local function seal(fd, text)
  local seals, reason = parse("seal", text)
  if not seals then
    return nil, reason
  end
  return check(lib.memfd_seal(fd, seals))
end

local function get_seals(fd)
  local text = ffi.new("char[128]")
  local length, reason = check(lib.memfd_get_seals_str(fd, text, 128))
  return length and ffi.string(text, length), reason
end

local function check_seals(fd, seals)
  return check(lib.memfd_check_seals_str(fd, seals))
end

local function new_sealed(name, flags, data)
  return check(lib.memfd_new_sealed_str(name, flags, data, #data))
end

local function reason(...)
  return assert(select(2, ...))
end

local fd = assert(new("buf", "allow-sealing"))
print("wrote: " .. assert(check(ffi.C.write(fd, "hello", 5))) .. " bytes")
assert(seal(fd, "seal,immutable"))
-- Linux 6.3 and later add "exec" by themselves.
print("seals: " .. assert(get_seals(fd)):gsub(",exec", ""))
assert(check_seals(fd, "immutable"))
print("immutable: yes")
print("write: " .. reason(check(ffi.C.write(fd, "again", 5))))
print("new: " .. reason(new("buf", "allow-sealing,sparkling")))
print("seal: " .. reason(seal(fd, "write|frozen")))
ffi.C.close(fd)

local pipe = ffi.new("int[2]")
assert(check(ffi.C.pipe(pipe)))
print("pipe: " .. reason(check_seals(pipe[0], "immutable")))
ffi.C.close(pipe[0])
ffi.C.close(pipe[1])

fd = assert(new("unsealed", ""))
print("unsealed: " .. reason(check_seals(fd, "immutable")))
ffi.C.close(fd)

fd = assert(new_sealed("greeting", "", "hello, world"))
local data = ffi.new("char[64]")
print("sealed: " .. ffi.string(data, assert(check(ffi.C.read(fd, data, 64)))))
ffi.C.close(fd)
