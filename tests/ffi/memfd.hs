-- SPDX-License-Identifier: MIT
-- | libmemfd from Haskell, with nothing but what comes with GHC.
module Main (main) where

import Control.Exception (throwIO, try)
import Control.Monad (void)
import Data.Bits (complement, (.&.))
import Foreign (Ptr, alloca, allocaBytes, peek)
import Foreign.C
import GHC.IO.Exception (IOException, ioe_description)
import System.IO (hClose, hGetLine)
import System.Posix.IO (closeFd, createPipe, fdToHandle, fdWrite)
import System.Posix.Types (Fd (..))

foreign import ccall unsafe "memfd_new"
  c_new :: CString -> CUInt -> IO CInt
foreign import ccall unsafe "memfd_seal"
  c_seal :: Fd -> CUInt -> IO CInt
foreign import ccall unsafe "memfd_get_seals"
  c_getSeals :: Fd -> IO CInt
foreign import ccall unsafe "memfd_check_seals"
  c_checkSeals :: Fd -> CUInt -> IO CInt
foreign import ccall "memfd_new_sealed"
  c_newSealed :: CString -> CUInt -> Ptr a -> CSize -> IO CInt
foreign import ccall unsafe "memfd_format_seals"
  c_formatSeals :: CUInt -> CString -> CSize -> IO CInt
foreign import ccall unsafe "memfd_parse_flags"
  c_parseFlags :: CString -> Ptr CUInt -> Ptr CSize -> IO CInt
foreign import ccall unsafe "memfd_parse_seals"
  c_parseSeals :: CString -> Ptr CUInt -> Ptr CSize -> IO CInt

newtype Flags = Flags CUInt
newtype Seals = Seals CUInt

immutable :: Seals
immutable = Seals 0x0e

without :: Seals -> Seals -> Seals
Seals a `without` Seals b = Seals (a .&. complement b)

-- | The number that a text names, or the word that names nothing.
parse
  :: (CString -> Ptr CUInt -> Ptr CSize -> IO CInt)
  -> String -> String -> IO CUInt
parse function kind text =
  withCString text $ \str -> alloca $ \number -> alloca $ \end -> do
    result <- function str number end
    if result == 0
      then peek number
      else do
        rest <- (`drop` text) . fromIntegral <$> peek end
        let word = takeWhile (`notElem` ",| \t\n\v\f\r") rest
        throwIO (userError ("invalid " ++ kind ++ ": " ++ word))

parseFlags :: String -> IO Flags
parseFlags = fmap Flags . parse c_parseFlags "flag"

parseSeals :: String -> IO Seals
parseSeals = fmap Seals . parse c_parseSeals "seal"

new :: String -> Flags -> IO Fd
new name (Flags flags) = withCString name $ \str ->
  Fd <$> throwErrnoIfMinus1 "memfd_new" (c_new str flags)

newSealed :: String -> Flags -> String -> IO Fd
newSealed name (Flags flags) text =
  withCString name $ \str -> withCStringLen text $ \(bytes, size) ->
    Fd <$> throwErrnoIfMinus1 "memfd_new_sealed"
      (c_newSealed str flags bytes (fromIntegral size))

seal :: Fd -> Seals -> IO ()
seal fd (Seals seals) = throwErrnoIfMinus1_ "memfd_seal" (c_seal fd seals)

getSeals :: Fd -> IO Seals
getSeals fd =
  Seals . fromIntegral <$> throwErrnoIfMinus1 "memfd_get_seals" (c_getSeals fd)

checkSeals :: Fd -> Seals -> IO ()
checkSeals fd (Seals seals) =
  throwErrnoIfMinus1_ "memfd_check_seals" (c_checkSeals fd seals)

formatSeals :: Seals -> IO String
formatSeals (Seals seals) = allocaBytes 128 $ \text -> do
  void (c_formatSeals seals text 128)
  peekCString text

-- | What went wrong, without the place.
reason :: IO a -> IO String
reason action = try action >>= \result -> case result of
  Left e -> pure (ioe_description (e :: IOException))
  Right _ -> fail "should have been refused"

main :: IO ()
main = do
  buf <- new "buf" =<< parseFlags "allow-sealing"
  count <- fdWrite buf "hello"
  putStrLn ("wrote: " ++ show count ++ " bytes")
  seal buf =<< parseSeals "seal,immutable"
  -- Linux 6.3 and later set this seal by themselves.
  exec <- parseSeals "exec"
  seals <- getSeals buf
  putStrLn . ("seals: " ++) =<< formatSeals (seals `without` exec)
  checkSeals buf immutable
  putStrLn "immutable: yes"

  putStrLn . ("write: " ++) =<< reason (fdWrite buf "again")
  putStrLn . ("new: " ++)
    =<< reason (new "buf" =<< parseFlags "allow-sealing,sparkling")
  putStrLn . ("seal: " ++) =<< reason (seal buf =<< parseSeals "write|frozen")
  closeFd buf

  (reader, writer) <- createPipe
  putStrLn . ("pipe: " ++) =<< reason (checkSeals reader immutable)
  closeFd reader
  closeFd writer

  unsealed <- new "unsealed" (Flags 0)
  putStrLn . ("unsealed: " ++) =<< reason (checkSeals unsealed immutable)
  closeFd unsealed

  greeting <- fdToHandle =<< newSealed "greeting" (Flags 0) "hello, world"
  putStrLn . ("sealed: " ++) =<< hGetLine greeting
  hClose greeting
