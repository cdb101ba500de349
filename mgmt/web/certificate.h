/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The box's TLS certificate, made with GnuTLS, and certificates in files. There are two levels. The
 * box has its own certificate authority, made once and kept in a file, which clients trust. The
 * authority signs the server's certificate, which exists only in memory and names the addresses by
 * which the box is reached. So a new admin address needs no new file and no new trust, and nothing
 * is written after the first start.
 * The authority can only sign for the name "sekisho" and for addresses.
 */
#ifndef SEKISHO_MGMT_WEB_CERTIFICATE_H
#define SEKISHO_MGMT_WEB_CERTIFICATE_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"
#include "appliance/wire/msg.h"

struct certificate;

/* addresses in the certificate; further ones are served, but not named */
#define CERTIFICATE_ADDRESSES 16

/* Reads the authority, and makes a server key and a first certificate. Owned by the caller; NULL
 * with *e filled. */
struct certificate *certificate_open(const char *authority_key, const char *authority, struct err *e);
/* Adds this address to the certificate. Handshakes in progress continue with their earlier
 * certificate. */
void certificate_cover(struct certificate *c, const struct addr *a);
/* The certificate and key for a handshake, owned by `c` and valid until it is closed. */
void certificate_present(struct certificate *c, gnutls_pcert_st **ret_chain, unsigned *ret_n,
			 gnutls_privkey_t *ret_key);
/*
 * To be called before the handshake of a connection: asks the client for a certificate. TLS proves
 * that the client has its key.
 */
void certificate_ask(gnutls_session_t session);
/* To be called after the handshake: SHA-256 of the client's certificate, which is not parsed here;
 * zero when there was none. */
void certificate_shown(gnutls_session_t session, uint8_t ret[32]);
void certificate_close(struct certificate *c); /* accepts NULL */

/* Makes a new authority with an ECDSA P-256 key. Both texts are PEM, malloc'd and owned by the
 * caller, who wipes the key. 0 or negative errno. */
int certificate_make(char **ret_key, char **ret_certificate, struct err *e);

#define CERTIFICATE_FILE (1u << 20) /* bytes of a file */

/* What the certificates in a text say (subject, validity), for control, which parses none. `pem` is
 * PEM; other contents are ignored. All zero when there is no certificate, or an unreadable one. */
struct msg_certified certificate_summary(const void *pem, size_t n);

#endif
