/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS 1.2 or 1.3 over a connection, by GnuTLS: only to a server whose certificate has the given
 * name and is signed by the given authority. Every call returns by `until`. Owns neither the
 * descriptor nor the texts.
 */
#ifndef SEKISHO_FETCH_FETCH_H
#define SEKISHO_FETCH_FETCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/base/addr.h"
#include "appliance/base/bytes.h"
#include "appliance/base/clock.h"
#include "appliance/base/err.h"

/*
 * How a fetch ends: the exit status of sekisho-fetch, which the console's `update` puts into words.
 * `update` and images/image/root/usr/lib/sekisho/update rely on the numbers, so a number never gets
 * another meaning.
 */

enum fetch_end {
	FETCH_DONE = 0,
	FETCH_BROKEN = 1, /* an error of this program or the box; standard error says which */
	FETCH_USAGE = 2,
	FETCH_NOBODY = 3,    /* the policy in force names no update server */
	FETCH_UNREACHED = 4, /* no connection within its time */
	FETCH_AUTHORITY = 5, /* the certificate is not signed by the authority of box.cfg */
	FETCH_NAME = 6,	     /* the certificate is for another name */
	FETCH_DATES = 7,     /* the certificate is not valid now by this box's clock */
	FETCH_TLS = 8,	     /* something else went wrong with TLS */
	FETCH_ABSENT = 9,    /* 404 */
	/* a redirect, which is not followed: only the server of box.cfg is asked */
	FETCH_ELSEWHERE = 10,
	/* another status, or a header without a plain Content-Length */
	FETCH_ANSWER = 11,
	FETCH_LARGE = 12, /* the file is too large */
	FETCH_CUT = 13,	  /* the connection ended before the whole file had come */
	FETCH_SLOW = 14,  /* the time is over, or too few bytes came within a minute */
	FETCH_WRITE = 15, /* the received bytes could not be written */
	/* For a file that is sent: */
	FETCH_DENIED = 16,   /* 401 or 403: the server does not accept name and password */
	FETCH_FULL = 17,     /* 413 or 507: the server has no room */
	FETCH_PASSWORD = 18, /* box.cfg names a user, and there is no password */
	FETCH_MORE = 100,    /* never an exit status: more bytes must be read */
};

struct fetch_tls;

/* `fd`: a connected socket that does not block, or one that is still being connected. `ca`: PEM.
 * NULL with *e. Owned by the caller: fetch_tls_free. */
struct fetch_tls *fetch_tls_new(int fd, const char *name, const void *ca, size_t n_ca, struct err *e);
void fetch_tls_free(struct fetch_tls *t);

/* Waits for the connection. FETCH_DONE or FETCH_UNREACHED. */
enum fetch_end fetch_tls_connected(struct fetch_tls *t, struct mono until);
/* Makes the TLS handshake. FETCH_DONE: the server has proved its name. */
enum fetch_end fetch_tls_begin(struct fetch_tls *t, struct mono until);
enum fetch_end fetch_tls_send(struct fetch_tls *t, const void *p, size_t n, struct mono until);
/* Receives up to `n` bytes; *ret_n is their number. FETCH_CUT when the server has closed
 * the connection. */
enum fetch_end fetch_tls_recv(struct fetch_tls *t, void *p, size_t n, size_t *ret_n, struct mono until);

/*
 * The head of an answer of HTTP/1.1 (RFC 9112): whether a file follows, and how long it is. Only
 * one form is accepted: status 200 and one Content-Length, without any coding. So the bytes after
 * the header need not be parsed. Pure.
 */

#define FETCH_HEAD_MOST 8192u /* bytes, the empty line included */

/*
 * `b`: the bytes received so far. FETCH_MORE: the header is not complete. FETCH_DONE: the header
 * has *ret_head bytes, and the file has *ret_length bytes. Any other result ends the fetch.
 */
enum fetch_end fetch_head(struct bytes b, size_t *ret_head, uint64_t *ret_length);
/* Whether a file that was sent (PUT, RFC 9110, 9.3.4) is stored: by the first line of the answer
 * alone; all after it is ignored. FETCH_MORE: the line is not complete. */
enum fetch_end fetch_stored(struct bytes b);

/*
 * The settings of sekisho-fetch: a file that the daemon writes from the policy in force
 * (appliance/box/companions.h). It is read as root. Its form is checked although only root can
 * write it.
 */

struct fetch_settings {
	/* the text to which the other members point; owned, see fetch_settings_free */
	char *text;
	const char *netns; /* name of the admin namespace */
	struct addr address;
	uint16_t port;
	const char *name; /* the name in the server's certificate */
	const char *ca;	  /* file of the authority's certificate */
	/* only for the server of backups, otherwise NULL: the folder for the files, and the user
	 * (NULL: none) */
	const char *folder, *user;
};

/* 0, -ENOENT when the policy in force names no update server, or another negative errno with *e. In
 * every case the caller frees *ret by fetch_settings_free. */
int fetch_settings_read(const char *path, struct fetch_settings *ret, struct err *e);
void fetch_settings_free(struct fetch_settings *s);

#endif
