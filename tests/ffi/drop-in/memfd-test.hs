-- SPDX-License-Identifier: MIT
-- | Every value of the options says what it should.
module Main (main) where

import Control.Exception (bracket)
import Control.Monad (forM_, unless)
import Data.Bits (shiftL, testBit, (.|.))
import Foreign (Ptr, alloca, nullPtr, peek)
import Foreign.C
import System.Posix.IO (FdOption (CloseOnExec), closeFd, queryFdOption)
import System.Posix.Types (Fd (..))

import Memfd hiding (OnExec (CloseOnExec))
import qualified Memfd

foreign import ccall unsafe "memfd_parse_flags"
  memfd_parse_flags :: CString -> Ptr CUInt -> Ptr CSize -> IO CInt
foreign import ccall unsafe "memfd_get_seals"
  memfd_get_seals :: Fd -> IO CInt

parse :: String -> IO CUInt
parse text = withCString text $ \str -> alloca $ \number -> do
  throwErrnoIfMinus1_ text (memfd_parse_flags str number nullPtr)
  peek number

every :: (Bounded a, Enum a) => [a]
every = [minBound .. maxBound]

-- The logarithms of the page sizes, in their order.
sizes :: [(PageSize, Int)]
sizes = zip every [16, 19, 20, 21, 23, 24, 25, 28, 29, 30, 31, 34]

fileSystems :: [(FileSystem, CUInt)]
fileSystems =
  [(TemporaryFileSystem, 0), (HugeTlbFileSystem Nothing, 4)] ++
  [ (HugeTlbFileSystem (Just size), fromIntegral logarithm `shiftL` 26 .|. 4)
  | (size, logarithm) <- sizes ]

expect :: (Eq a, Show a) => String -> a -> a -> IO ()
expect what wanted got = unless (wanted == got) $
  fail (what ++ ": " ++ show got ++ ", not " ++ show wanted)

main :: IO ()
main = do
  expect "page sizes" 12 (length (every :: [PageSize]))
  expect "defaults" (Options "" Memfd.CloseOnExec DoNotAllowSealing
    TemporaryFileSystem) defaults
  forM_ every $ \exec -> forM_ every $ \seals -> do
    let cloexec = exec == Memfd.CloseOnExec
        mayseal = seals == AllowSealing
        bits = (if cloexec then 0x1 else 0x02000000)
          .|. (if mayseal then 0x2 else 0)
    forM_ fileSystems $ \(system, systemBits) -> do
      let options = Options "test" exec seals system
      parse (flags options) >>= expect (show options) (bits .|. systemBits)
    let options = Options "test" exec seals TemporaryFileSystem
    bracket (create options) closeFd $ \fd -> do
      queryFdOption fd CloseOnExec >>= expect "close on exec" cloexec
      set <- throwErrnoIfMinus1 "memfd_get_seals" (memfd_get_seals fd)
      expect "sealing" mayseal (not (testBit set 0))
