/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runtime failures: functions return 0 or a negative errno and fill a caller's `struct err` that
 * names the operation and the object. Only role loops and the CLI print it. Mistakes of the
 * operator are reported as `struct diag`, hostile bytes as reasons (wire/reason.h).
 */
#ifndef SEKISHO_BASE_ERR_H
#define SEKISHO_BASE_ERR_H

#define ERR_TEXT 240u

struct err {
	int code;	     /* negative errno, 0 = none */
	char text[ERR_TEXT]; /* "open /run/sekisho/control.sock: Permission denied" */
};

/* Fills *e (which may be NULL) from a negative errno and a printf text; returns `code`. The errno's
 * own text follows. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
