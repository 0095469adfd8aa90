;;;; SPDX-License-Identifier: MIT
;;;; libmemfd from Common Lisp, with CFFI; errno is a condition of SBCL's.

(require :asdf)
(require :sb-posix)
(asdf:load-system :cffi)

(defpackage :memfd
  (:use :cl :cffi))
(in-package :memfd)

(define-foreign-library libmemfd
  (:unix "libmemfd.so.1"))
(use-foreign-library libmemfd)

(defcfun ("memfd_new" %new) :int (name :string) (flags :uint))
(defcfun ("memfd_seal" %seal) :int (fd :int) (seals :uint))
(defcfun ("memfd_get_seals_str" %get-seals) :int
  (fd :int) (buf :pointer) (size :size))
(defcfun ("memfd_check_seals_str" %check-seals) :int (fd :int) (seals :string))
(defcfun ("memfd_new_sealed_str" %new-sealed) :int
  (name :string) (flags :string) (data :pointer) (size :size))
(defcfun ("memfd_parse_flags" %parse-flags) :int
  (str :string) (flags :pointer) (end :pointer))
(defcfun ("memfd_parse_seals" %parse-seals) :int
  (str :string) (seals :pointer) (end :pointer))

(defun check (result)
  "Signals errno where C has -1."
  (if (minusp result)
      (sb-posix:syscall-error)
      result))

(defun separator-p (character)
  (find character '(#\, #\| #\Space #\Tab #\Newline #\Vt #\Page #\Return)))

(defun parse (function kind text)
  "The number that TEXT names, or an error that names the word."
  (with-foreign-objects ((number :uint) (end :size))
    (when (minusp (funcall function text number end))
      (let* ((start (mem-ref end :size))
             (stop (position-if #'separator-p text :start start)))
        (error "invalid ~a: ~a" kind (subseq text start stop))))
    (mem-ref number :uint)))

(defun new (name flags)
  (check (%new name (parse #'%parse-flags "flag" flags))))

(defun seal (fd seals)
  (check (%seal fd (parse #'%parse-seals "seal" seals))))

(defun get-seals (fd)
  (with-foreign-pointer-as-string ((text size) 128)
    (check (%get-seals fd text size))))

(defun new-sealed (name text)
  (with-foreign-string ((data size) text :null-terminated-p nil)
    (check (%new-sealed name "" data size))))

(defun put (fd text)
  (with-foreign-string ((data size) text :null-terminated-p nil)
    (sb-posix:write fd data size)))

(defun get-text (fd)
  (with-foreign-pointer (data 64 size)
    (foreign-string-to-lisp data :count (sb-posix:read fd data size))))

(defmacro reason (form)
  "What went wrong, in words."
  `(handler-case (progn ,form "should have been refused")
     (sb-posix:syscall-error (condition)
       (sb-int:strerror (sb-posix:syscall-errno condition)))
     (simple-error (condition) condition)))

(let ((fd (new "buf" "allow-sealing")))
  (format t "wrote: ~d bytes~%" (put fd "hello"))
  (format t "unsealed: ~a~%" (reason (check (%check-seals fd "immutable"))))
  (seal fd "seal,immutable")
  (format t "seals: ~a~%" (get-seals fd))
  (check (%check-seals fd "immutable"))
  (format t "immutable: yes~%")
  (format t "write: ~a~%" (reason (put fd "again")))
  (format t "new: ~a~%" (reason (new "buf" "allow-sealing,sparkling")))
  (format t "seal: ~a~%" (reason (seal fd "write|frozen")))
  (format t "stdin: ~a~%" (reason (check (%check-seals 0 "immutable"))))
  (sb-posix:close fd))

(let ((fd (new-sealed "greeting" "hello, world")))
  (format t "sealed: ~a~%" (get-text fd))
  (sb-posix:close fd))
