/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the box says it is, by GnuTLS. Two levels: an authority of the box's own, made once and kept
 * in a file, is what clients trust; the server's certificate is signed by it in memory and names
 * the addresses under which the box is reached. So a new admin address needs neither a new file nor
 * a new trust, and nothing is written after the first start. The authority can vouch for the name
 * "sekisho" and for addresses, for no other name.
 */
#ifndef SEKISHO_MGMT_WEB_CERTIFICATE_H
#define SEKISHO_MGMT_WEB_CERTIFICATE_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"

struct certificate;

#define CERTIFICATE_ADDRESSES 16 /* that it can name; further ones are served without being named */

/* Reads the authority and makes a server key and a first certificate. Owned by the caller; NULL
 * with *e filled. */
struct certificate *certificate_open(const char *authority_key, const char *authority, struct err *e);
/* The certificate names this address from now on. Handshakes under way go on with the one that they
 * began with. */
void certificate_cover(struct certificate *c, const struct addr *a);
/* What a handshake is to present: both stay owned by `c` and valid until it is closed. */
void certificate_present(struct certificate *c, gnutls_pcert_st **ret_chain, unsigned *ret_n,
			 gnutls_privkey_t *ret_key);
/*
 * A client may show a certificate of its own; TLS lets nobody show one without its key. Before the
 * handshake of a connection: */
void certificate_ask(gnutls_session_t session);
/* Behind it: SHA-256 of what was shown, which nobody here has read; zero when it was none. */
void certificate_shown(gnutls_session_t session, uint8_t ret[32]);
void certificate_close(struct certificate *c); /* accepts NULL */

#endif
