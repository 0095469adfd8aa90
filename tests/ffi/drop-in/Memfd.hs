-- SPDX-License-Identifier: MIT
-- | Memory files by a record of options, as the memfd package has it, over
-- libmemfd: a module to copy.
module Memfd
  ( create
  , Options (..)
  , defaults
  , OnExec (..)
  , Sealing (..)
  , FileSystem (..)
  , PageSize (..)
  , flags
  ) where

import Foreign.C (CInt (..), CString, throwErrnoIfMinus1, withCString)
import System.Posix.Types (Fd (..))

foreign import ccall unsafe "memfd_new_str"
  memfd_new_str :: CString -> CString -> IO CInt

data Options = Options
  { name :: String
  , onExec :: OnExec
  , sealing :: Sealing
  , fileSystem :: FileSystem
  } deriving (Eq, Show)

data OnExec = CloseOnExec | RemainOpenOnExec
  deriving (Bounded, Enum, Eq, Show)

data Sealing = DoNotAllowSealing | AllowSealing
  deriving (Bounded, Enum, Eq, Show)

data FileSystem
  = TemporaryFileSystem
  | HugeTlbFileSystem (Maybe PageSize) -- ^ Nothing: the system's default
  deriving (Eq, Show)

data PageSize
  = Huge_64KB | Huge_512KB | Huge_1MB | Huge_2MB | Huge_8MB | Huge_16MB
  | Huge_32MB | Huge_256MB | Huge_512MB | Huge_1GB | Huge_2GB | Huge_16GB
  deriving (Bounded, Enum, Eq, Show)

defaults :: Options
defaults = Options
  { name = ""
  , onExec = CloseOnExec
  , sealing = DoNotAllowSealing
  , fileSystem = TemporaryFileSystem
  }

-- | What libmemfd calls it: white space separates, and case and _ or - do not
-- matter there, so the page sizes are called as they are here.
flags :: Options -> String
flags options = unwords
  [ case onExec options of
      CloseOnExec -> "cloexec"
      RemainOpenOnExec -> "inherit"
  , case sealing options of
      DoNotAllowSealing -> ""
      AllowSealing -> "allow-sealing"
  , case fileSystem options of
      TemporaryFileSystem -> ""
      HugeTlbFileSystem Nothing -> "hugetlb"
      HugeTlbFileSystem (Just size) -> show size
  ]

create :: Options -> IO Fd
create options =
  withCString (name options) $ \str ->
    withCString (flags options) $ \text ->
      Fd <$> throwErrnoIfMinus1 "memfd" (memfd_new_str str text)
