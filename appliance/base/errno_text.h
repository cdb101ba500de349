/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C library's words for an errno, in Japanese, by one table (errno.def). An error text is
 * written in English where the failure happens (err.h), and people read it within a sentence of the
 * catalogue, which may be Japanese. Pure.
 */
#ifndef SEKISHO_BASE_ERRNO_TEXT_H
#define SEKISHO_BASE_ERRNO_TEXT_H

/*
 * A copy of `text` with each phrase of the C library in Japanese, malloc'd and owned by the caller.
 * NULL: there is no such phrase in it, or no memory. A phrase within a longer word is left as
 * it is.
 */
char *errno_japanese(const char *text);

#endif
