/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encryption to a certificate and back, by OpenSSL's CMS: AuthEnvelopedData with AES-256-GCM (RFC
 * 5083, RFC 5084), the key by RSA-OAEP with SHA-256 (RFC 8017) or by elliptic-curve Diffie-Hellman.
 * The only module that includes OpenSSL. Knows nothing of what is encrypted. Anybody can encrypt
 * with a public key, so a message that can be decrypted is intact, but its origin is not proved.
 */
#ifndef SEKISHO_SEAL_CMS_H
#define SEKISHO_SEAL_CMS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"

struct cms_key; /* a private key */

enum cms_trouble {
	CMS_NONE,
	CMS_NO_CERTIFICATE, /* the text has no certificate */
	CMS_PRIVATE_KEY,    /* the text has a private key, which must not be on the box */
	CMS_NO_KEY,	    /* the text has no private key, or its passphrase was wrong */
	CMS_FAILED,
};

/* To be called before the other functions. Afterwards the library reads no configuration of the
 * machine, and can work in a sandbox. */
bool cms_ready(void);
/* SHA-256 of the certificate itself, as `openssl x509 -fingerprint -sha256` has it; false: there
 * is none. */
bool cms_fingerprint(struct bytes certificate, uint8_t out[32]);
/* Whether the certificate is that of the private key, both PEM. Reads hostile bytes. */
bool cms_pair(struct bytes certificate, struct bytes key);
/* *ret is malloc'd and owned by the caller. `certificate`: PEM. */
enum cms_trouble cms_encrypt(struct bytes certificate, struct bytes plain, uint8_t **ret, size_t *ret_n);
/* Asks for the passphrase of the key at the terminal, if it has one. Free with cms_key_free. */
enum cms_trouble cms_key_read(struct bytes pem, struct cms_key **ret);
void cms_key_free(struct cms_key *k);
/* Reads hostile bytes: to be called in a process without rights (apart.h). False also when the
 * message was encrypted for another key. */
bool cms_decrypt(struct cms_key *k, struct bytes message, uint8_t **ret, size_t *ret_n);

#endif
