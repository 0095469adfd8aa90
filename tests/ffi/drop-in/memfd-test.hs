-- SPDX-License-Identifier: MIT
-- | Every value of the options says what it should.
module Main (main) where

import Control.Exception (bracket)
import Control.Monad (forM_, unless)
import Data.Bits (shiftL, testBit, (.|.))
import Foreign (Ptr, alloca, nullPtr, peek)
import Foreign.C
import qualified System.Posix.IO as Posix
import System.Posix.Types (Fd (..))

import Memfd

foreign import ccall unsafe "memfd_parse_flags"
  memfd_parse_flags :: CString -> Ptr CUInt -> Ptr CSize -> IO CInt
foreign import ccall unsafe "memfd_get_seals"
  memfd_get_seals :: Fd -> IO CInt

parse :: String -> IO CUInt
parse text = withCString text $ \str -> alloca $ \number -> do
  throwErrnoIfMinus1_ text (memfd_parse_flags str number nullPtr)
  peek number

-- The logarithms of the page sizes, in their order.
sizes :: [(PageSize, Int)]
sizes = zip [minBound ..] [16, 19, 20, 21, 23, 24, 25, 28, 29, 30, 31, 34]

fileSystems :: [(FileSystem, CUInt)]
fileSystems =
  [(TemporaryFileSystem, 0), (HugeTlbFileSystem Nothing, 4)] ++
  [ (HugeTlbFileSystem (Just size), fromIntegral logarithm `shiftL` 26 .|. 4)
  | (size, logarithm) <- sizes ]

every :: [(Options, CUInt)]
every =
  [ (Options "" exec seals system, execBits .|. sealBits .|. systemBits)
  | (exec, execBits) <- [(CloseOnExec, 0x1), (RemainOpenOnExec, 0x02000000)]
  , (seals, sealBits) <- [(DoNotAllowSealing, 0), (AllowSealing, 0x2)]
  , (system, systemBits) <- fileSystems ]

expect :: (Eq a, Show a) => String -> a -> a -> IO ()
expect what wanted got = unless (wanted == got) $
  fail (what ++ ": " ++ show got ++ ", not " ++ show wanted)

main :: IO ()
main = do
  expect "largest page" (maxBound, 34) (last sizes)
  expect "defaults" (Just 0x1) (lookup defaults every)
  forM_ every $ \(options, bits) ->
    parse (flags options) >>= expect (show options) bits
  let options = defaults { onExec = RemainOpenOnExec, sealing = AllowSealing }
  bracket (create options) Posix.closeFd $ \fd -> do
    Posix.queryFdOption fd Posix.CloseOnExec >>= expect "close on exec" False
    seals <- throwErrnoIfMinus1 "memfd_get_seals" (memfd_get_seals fd)
    expect "sealed" False (testBit seals 0)
