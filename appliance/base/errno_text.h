/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C library's words for an errno, in Japanese, by one table (errno.def). A failure is put together in English where it happens (err.h), and reaches people
 * within a sentence of the catalogue; there it is said in theirs. Pure.
 */
#ifndef SEKISHO_BASE_ERRNO_TEXT_H
#define SEKISHO_BASE_ERRNO_TEXT_H

/*
 * The same text with each of those words in Japanese, malloc'd and owned by the caller; NULL: there are none in it, or no memory. Words that are part of
 * a longer one stay.
 */
char *errno_japanese(const char *text);

#endif
