-- SPDX-License-Identifier: MIT
-- | libmemfd from Haskell, with nothing but what comes with GHC.
module Main (main) where

import Control.Exception (throwIO, try)
import Foreign (Ptr, alloca, allocaBytes, peek)
import Foreign.C
import GHC.IO.Exception (IOException, ioe_description)
import System.IO (hClose, hGetLine)
import System.Posix.IO (closeFd, fdToHandle, fdWrite, stdInput)
import System.Posix.Types (Fd (..))

foreign import ccall unsafe "memfd_new"
  c_new :: CString -> CUInt -> IO CInt
foreign import ccall unsafe "memfd_seal"
  c_seal :: Fd -> CUInt -> IO CInt
foreign import ccall unsafe "memfd_get_seals_str"
  c_getSeals :: Fd -> CString -> CSize -> IO CInt
foreign import ccall unsafe "memfd_check_seals_str"
  c_checkSeals :: Fd -> CString -> IO CInt
foreign import ccall "memfd_new_sealed"
  c_newSealed :: CString -> CUInt -> Ptr a -> CSize -> IO CInt
foreign import ccall unsafe "memfd_parse_flags"
  c_parseFlags :: CString -> Ptr CUInt -> Ptr CSize -> IO CInt
foreign import ccall unsafe "memfd_parse_seals"
  c_parseSeals :: CString -> Ptr CUInt -> Ptr CSize -> IO CInt

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

new :: String -> String -> IO Fd
new name flags = do
  number <- parse c_parseFlags "flag" flags
  withCString name $ \str ->
    Fd <$> throwErrnoIfMinus1 "memfd_new" (c_new str number)

newSealed :: String -> String -> IO Fd
newSealed name text =
  withCString name $ \str -> withCStringLen text $ \(bytes, size) ->
    Fd <$> throwErrnoIfMinus1 "memfd_new_sealed"
      (c_newSealed str 0 bytes (fromIntegral size))

seal :: Fd -> String -> IO ()
seal fd seals = do
  number <- parse c_parseSeals "seal" seals
  throwErrnoIfMinus1_ "memfd_seal" (c_seal fd number)

getSeals :: Fd -> IO String
getSeals fd = allocaBytes 128 $ \text -> do
  throwErrnoIfMinus1_ "memfd_get_seals" (c_getSeals fd text 128)
  peekCString text

checkSeals :: Fd -> String -> IO ()
checkSeals fd seals =
  withCString seals $ throwErrnoIfMinus1_ "memfd_check_seals" . c_checkSeals fd

-- | What went wrong, without the place.
reason :: IO a -> IO String
reason action = try action >>= \result -> case result of
  Left e -> pure (ioe_description (e :: IOException))
  Right _ -> fail "should have been refused"

main :: IO ()
main = do
  buf <- new "buf" "allow-sealing"
  count <- fdWrite buf "hello"
  putStrLn ("wrote: " ++ show count ++ " bytes")
  putStrLn . ("unsealed: " ++) =<< reason (checkSeals buf "immutable")
  seal buf "seal,immutable"
  putStrLn . ("seals: " ++) =<< getSeals buf
  checkSeals buf "immutable"
  putStrLn "immutable: yes"

  putStrLn . ("write: " ++) =<< reason (fdWrite buf "again")
  putStrLn . ("new: " ++) =<< reason (new "buf" "allow-sealing,sparkling")
  putStrLn . ("seal: " ++) =<< reason (seal buf "write|frozen")
  putStrLn . ("stdin: " ++) =<< reason (checkSeals stdInput "immutable")
  closeFd buf

  greeting <- fdToHandle =<< newSealed "greeting" "hello, world"
  putStrLn . ("sealed: " ++) =<< hGetLine greeting
  hClose greeting
