;; SPDX-License-Identifier: MIT
;; libmemfd from Guile, with (system foreign).

(use-modules (ice-9 receive)
             (ice-9 textual-ports)
             (rnrs bytevectors)
             (srfi srfi-13)
             (system foreign)
             (system foreign-library))

(define (native name . arguments)
  (foreign-library-function "libmemfd.so.1" name
                            #:return-type int
                            #:arg-types arguments
                            #:return-errno? #t))

;; A function that throws a system-error where C has -1 and errno.
(define (checked name . arguments)
  (let ((function (apply native name arguments)))
    (lambda arguments
      (receive (result errno) (apply function arguments)
        (when (< result 0)
          (scm-error 'system-error name "~A" (list (strerror errno))
                     (list errno)))
        result))))

(define new (checked "memfd_new" '* unsigned-int))
(define seal (checked "memfd_seal" int unsigned-int))
(define get-seals (checked "memfd_get_seals" int))
(define check-seals (checked "memfd_check_seals" int unsigned-int))
(define new-sealed (checked "memfd_new_sealed" '* unsigned-int '* size_t))
(define format-seals (checked "memfd_format_seals" unsigned-int '* size_t))

(define separators (string->char-set ",| \t\n\v\f\r"))

;; The number that text names; misc-error, with the word, if it does not.
(define (parser name kind)
  (let ((function (native name '* '* '*)))
    (lambda (text)
      (let ((number (make-bytevector (sizeof unsigned-int)))
            (end (make-bytevector (sizeof size_t))))
        (unless (zero? (function (string->pointer text)
                                 (bytevector->pointer number)
                                 (bytevector->pointer end)))
          (let* ((start (bytevector-uint-ref end 0 (native-endianness)
                                             (sizeof size_t)))
                 (stop (string-index text separators start)))
            (error (format #f "invalid ~a: ~a" kind
                           (substring text start
                                      (or stop (string-length text)))))))
        (bytevector-u32-native-ref number 0)))))

(define parse-flags (parser "memfd_parse_flags" "flag"))
(define parse-seals (parser "memfd_parse_seals" "seal"))
(define immutable (parse-seals "immutable"))

(define (seals->string seals)
  (let* ((text (make-bytevector 128))
         (length (format-seals seals (bytevector->pointer text) 128)))
    (pointer->string (bytevector->pointer text) length)))

(define (say . words)
  (for-each display words)
  (newline))

;; What went wrong, in words.
(define-syntax-rule (reason action)
  (catch #t
    (lambda ()
      action
      'should-have-been-refused)
    (lambda (key . arguments)
      (case key
        ((system-error) (strerror (system-error-errno (cons key arguments))))
        ((misc-error) (caaddr arguments))
        (else (apply throw key arguments))))))

(let* ((fd (new (string->pointer "buf") (parse-flags "allow-sealing")))
       (buf (fdopen fd "w0")))
  (put-string buf "hello")
  (say "wrote: " (stat:size (stat buf)) " bytes")
  (seal fd (parse-seals "seal,immutable"))
  ;; Linux 6.3 and later set this seal by themselves.
  (say "seals: " (seals->string (logand (get-seals fd)
                                        (lognot (parse-seals "exec")))))
  (check-seals fd immutable)
  (say "immutable: yes")
  (say "write: " (reason (put-string buf "again")))
  (say "new: " (reason (new (string->pointer "buf")
                            (parse-flags "allow-sealing,sparkling"))))
  (say "seal: " (reason (seal fd (parse-seals "write|frozen")))))

(let ((ends (pipe)))
  (say "pipe: " (reason (check-seals (fileno (car ends)) immutable))))

(let ((unsealed (fdopen (new (string->pointer "unsealed") 0) "r")))
  (say "unsealed: " (reason (check-seals (fileno unsealed) immutable))))

(let* ((data (string->utf8 "hello, world"))
       (greeting (fdopen (new-sealed (string->pointer "greeting") 0
                                     (bytevector->pointer data)
                                     (bytevector-length data))
                         "r")))
  (say "sealed: " (get-string-all greeting)))
