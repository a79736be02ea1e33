;;; thread.el --- A turn and its two hunks in Emacs with eglot  -*- lexical-binding: t -*-

;; Run by tests/it/editors/emacs.rs in a folder with notes.txt: emacs -Q --batch -l thread.el
;; KKCODE_SERVER is the program that starts the server.

(require 'cl-lib)
(require 'eglot)
(require 'flymake)

(setq eglot-confirm-server-initiated-edits nil
      eglot-sync-connect 30
      make-backup-files nil
      create-lockfiles nil)

(define-derived-mode notes-mode text-mode "Notes")
(add-to-list 'eglot-server-programs (list 'notes-mode (getenv "KKCODE_SERVER")))

(defun eventually (what condition)
  "Wait until CONDITION gives non-nil; fail with WHAT and the buffer if it never does."
  (let ((end (+ (float-time) 30)))
    (while (not (funcall condition))
      (when (> (float-time) end)
        (error "waited in vain for %s; buffer: %S" what (buffer-string)))
      (accept-process-output nil 0.02))))

(defun expect (what actual expected)
  "Fail with WHAT unless ACTUAL equals EXPECTED."
  (unless (equal actual expected)
    (error "%s: expected %S, got %S" what expected actual)))

(defun hunks ()
  "Return what the hunks' diagnostics say, in the order of their places."
  (flymake-start)
  (mapcar #'flymake-diagnostic-text
          (sort (flymake-diagnostics) (lambda (a b) (< (flymake-diagnostic-beg a) (flymake-diagnostic-beg b))))))

(defun hunks-are (&rest parts)
  "Wait until there are as many hunks as PARTS and each holds its part."
  (eventually (format "hunks %S, there are %S" parts (hunks))
              (lambda ()
                (let ((said (hunks)))
                  (and (= (length said) (length parts)) (cl-every #'string-match-p parts said))))))

(defun titles ()
  "Return the titles of the code actions at point."
  (condition-case failure
      (mapcar (lambda (action) (plist-get action :title)) (eglot-code-actions (point) (point)))
    (error (unless (string-match-p "No code actions here" (error-message-string failure))
             (signal (car failure) (cdr failure))))))

(defun take (title)
  "Choose the code action TITLE at point, as a person does after \\[eglot-code-actions]."
  (let ((last-nonmenu-event ?x))
    (cl-letf (((symbol-function 'completing-read)
               (lambda (_prompt choices &rest _)
                 (or (car (assoc title choices)) (error "no action %S in %S" title (mapcar #'car choices))))))
      (eglot-code-actions (point) (point) nil t))))

(let ((case-fold-search nil))
  (find-file "notes.txt")
  (buffer-enable-undo)
  (notes-mode)
  (apply #'eglot--connect (eglot--guess-contact))
  (flymake-mode 1)

  (goto-char (point-min))
  (take "Do: shout")
  (hunks-are "pending hunk: two → TWO" "pending hunk: six → SIX")

  (flymake-goto-next-error)
  (expect "the line of the first hunk" (line-number-at-pos) 4)
  (undo-boundary)
  (take "Accept hunk")
  (eventually "the accepted text" (lambda () (string-match-p "^TWO$" (buffer-string))))
  (eglot--signal-textDocument/didChange)
  (hunks-are "pending hunk: six → SIX")

  ;; The editor's undo takes the accept back.
  (undo-boundary)
  (undo)
  (eventually "the text after undo" (lambda () (string-match-p "^two$" (buffer-string))))
  (eglot--signal-textDocument/didChange)
  (hunks-are "pending hunk: two → TWO" "pending hunk: six → SIX")
  (goto-char (point-min))
  (flymake-goto-next-error)
  (take "Accept hunk")
  (eventually "the accepted text again" (lambda () (string-match-p "^TWO$" (buffer-string))))
  (eglot--signal-textDocument/didChange)
  (hunks-are "pending hunk: six → SIX")

  (flymake-goto-next-error)
  (expect "the line of the second hunk" (line-number-at-pos) 8)
  (take "Reject hunk")
  (eventually "that nothing is left to decide"
              (lambda () (not (member "Reject hunk" (titles)))))
  (basic-save-buffer)
  (eglot-shutdown (eglot-current-server))
  (message "every step was seen"))
