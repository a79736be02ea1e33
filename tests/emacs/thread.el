;;; thread.el --- A turn and its two hunks in Emacs with eglot  -*- lexical-binding: t -*-

;; Run by tests/it/editors/emacs.rs in a folder with notes.txt: emacs -Q --batch -l thread.el
;; KKCODE_TEST is the folder with the recipe of docs/editors.md, recipe.el, and with the server, bin/kkcode-lsp.

(require 'cl-lib)
(require 'eglot)
(require 'flymake)

(setq eglot-sync-connect 30
      make-backup-files nil
      create-lockfiles nil)

(push (expand-file-name "bin" (getenv "KKCODE_TEST")) exec-path)
(load (expand-file-name "recipe.el" (getenv "KKCODE_TEST")) nil t)

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

(defun press (keys)
  "Do what KEYS are bound to here."
  (call-interactively (or (key-binding (kbd keys)) (error "no command on %s" keys))))

(defun take (title)
  "Choose the code action TITLE at point, as a person does by key."
  (let ((last-nonmenu-event ?x))
    (cl-letf (((symbol-function 'completing-read)
               (lambda (_prompt choices &rest _)
                 (or (car (assoc title choices)) (error "no action %S in %S" title (mapcar #'car choices))))))
      (press "C-c k a"))))

(defun listed ()
  "Return the text of the list of hunks, by key."
  (save-window-excursion
    (press "C-c k l")
    (with-current-buffer (flymake--diagnostics-buffer-name)
      (revert-buffer)
      (buffer-substring-no-properties (point-min) (point-max)))))

(let ((case-fold-search nil))
  (find-file "notes.txt")
  (buffer-enable-undo)
  (expect "the mode of the recipe" major-mode 'text-mode)
  (apply #'eglot--connect (eglot--guess-contact))
  (flymake-mode 1)

  (goto-char (point-min))
  (take "Do: shout")
  (hunks-are "pending hunk: two → TWO" "pending hunk: six → SIX")

  (let ((list (listed)))
    (dolist (line '(" 4 .*: pending hunk: two → TWO" " 8 .*: pending hunk: six → SIX"))
      (unless (string-match-p line list) (error "%s is not in the list: %s" line list))))
  (press "C-c k n")
  (expect "the line of the first hunk" (line-number-at-pos) 4)
  (press "C-c k n")
  (expect "the line of the second hunk" (line-number-at-pos) 8)
  (press "C-c k p")
  (expect "the line of the first hunk again" (line-number-at-pos) 4)
  (undo-boundary)
  (take "Accept hunk")
  (eventually "the accepted text" (lambda () (string-match-p "^TWO$" (buffer-string))))
  (eglot--signal-textDocument/didChange)
  (hunks-are "pending hunk: six → SIX")

  ;; The editor's undo takes the accept back.
  (undo-boundary)
  (press "C-/")
  (eventually "the text after undo" (lambda () (string-match-p "^two$" (buffer-string))))
  (eglot--signal-textDocument/didChange)
  (hunks-are "pending hunk: two → TWO" "pending hunk: six → SIX")
  (goto-char (point-min))
  (press "C-c k n")
  (take "Accept hunk")
  (eventually "the accepted text again" (lambda () (string-match-p "^TWO$" (buffer-string))))
  (eglot--signal-textDocument/didChange)
  (hunks-are "pending hunk: six → SIX")

  (press "C-c k n")
  (expect "the line of the second hunk" (line-number-at-pos) 8)
  (take "Reject hunk")
  (eventually "that nothing is left to decide"
              (lambda () (not (member "Reject hunk" (titles)))))
  (basic-save-buffer)
  (eglot-shutdown (eglot-current-server))
  (message "every step was seen"))
