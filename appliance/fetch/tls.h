/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS 1.2 or 1.3 over a connection, by GnuTLS: to a server whose certificate has a name and comes by an authority, or to nobody. Every call comes back when
 * `until` is over. Owns neither the descriptor nor the texts.
 */
#ifndef SEKISHO_FETCH_TLS_H
#define SEKISHO_FETCH_TLS_H

#include <stddef.h>
#include <sys/types.h>

#include "appliance/base/clock.h"
#include "appliance/base/err.h"
#include "appliance/fetch/end.h"

struct fetch_tls;

/* `fd`: a connected socket that does not block, or one that is still being connected. `ca`: PEM. NULL with *e. Owned by the caller: fetch_tls_free. */
struct fetch_tls *fetch_tls_new(int fd, const char *name, const void *ca, size_t n_ca, struct err *e);
void fetch_tls_free(struct fetch_tls *t);

/* Waits for the connection. FETCH_DONE or FETCH_UNREACHED. */
enum fetch_end fetch_tls_connected(struct fetch_tls *t, struct mono until);
/* FETCH_DONE: it is who it shall be. */
enum fetch_end fetch_tls_begin(struct fetch_tls *t, struct mono until);
enum fetch_end fetch_tls_send(struct fetch_tls *t, const void *p, size_t n, struct mono until);
/* Up to `n` bytes that have come, *ret_n of them; FETCH_CUT when no more come. */
enum fetch_end fetch_tls_recv(struct fetch_tls *t, void *p, size_t n, size_t *ret_n, struct mono until);

#endif
