/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that box.cfg names as `ca`: an authority's certificate, which another program reads as a user of its own. Looked at before an apply,
 * because afterwards nobody would hear that it cannot be read.
 */
#ifndef SEKISHO_BOX_AUTHORITY_H
#define SEKISHO_BOX_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/sentence.h"

#define AUTHORITY_MOST (1u << 20) /* bytes: a system's whole collection of authorities is a quarter of it */

enum authority {
	AUTHORITY_READY,
	AUTHORITY_ABSENT,
	AUTHORITY_UNREAD,
	AUTHORITY_LINK,	  /* a symbolic link */
	AUTHORITY_CLOSED, /* not readable for other users, one of whom reads it */
	AUTHORITY_FOLDER, /* who does not get through a folder above */
	AUTHORITY_NONE,	  /* no certificate in it */
	AUTHORITIES
};

extern const char *const authority_words[AUTHORITIES];

/* What it is good for; when it is ready its text comes along (malloc'd, owned by the caller), else *ret says what is wrong. `path` is absolute. Nothing in it is parsed. */
enum authority authority_look(const char *path, uint8_t **ret_text, size_t *ret_n, struct sentence *ret);
/* The same of what `fd` has, which is `path`: a file that root alone need be able to read, and that a link may lead to. */
enum authority certificate_read(int fd, const char *path, uint8_t **ret_text, size_t *ret_n, struct sentence *ret);
/* False: *ret says what is wrong. */
bool authority_ready(const char *path, struct sentence *ret);

#endif
