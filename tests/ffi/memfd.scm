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
(define get-seals-str (checked "memfd_get_seals_str" int '* size_t))
(define check-seals-str (checked "memfd_check_seals_str" int '*))
(define new-sealed (checked "memfd_new_sealed" '* unsigned-int '* size_t))

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

(define (get-seals fd)
  (let ((text (bytevector->pointer (make-bytevector 128))))
    (pointer->string text (get-seals-str fd text 128))))

(define (check-immutable fd)
  (check-seals-str fd (string->pointer "immutable")))

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
  (say "unsealed: " (reason (check-immutable fd)))
  (seal fd (parse-seals "seal,immutable"))
  (say "seals: " (get-seals fd))
  (check-immutable fd)
  (say "immutable: yes")
  (say "write: " (reason (put-string buf "again")))
  (say "new: " (reason (new (string->pointer "buf")
                            (parse-flags "allow-sealing,sparkling"))))
  (say "seal: " (reason (seal fd (parse-seals "write|frozen"))))
  (say "stdin: " (reason (check-immutable 0))))

(let* ((data (string->utf8 "hello, world"))
       (greeting (fdopen (new-sealed (string->pointer "greeting") 0
                                     (bytevector->pointer data)
                                     (bytevector-length data))
                         "r")))
  (say "sealed: " (get-string-all greeting)))
