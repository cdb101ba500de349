/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handshake keeps the certificate that it began with, and several handshakes may run: so no
 * certificate is ever freed. The number of addresses bounds that of certificates.
 */
#include "mgmt/web/certificate.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/sha256.h"

#define CHAIN 2u

struct certificate {
	gnutls_x509_privkey_t authority_key, key;
	gnutls_x509_crt_t authority;
	gnutls_privkey_t signer; /* `key` in the form for handshakes */
	struct addr addresses[CERTIFICATE_ADDRESSES];
	size_t n_addresses;
	/* Each a chain: its certificate, and the authority's, which a browser shows only if it is
	 * sent. The last one is presented. */
	gnutls_pcert_st versions[CERTIFICATE_ADDRESSES + 1][CHAIN];
	size_t n_versions;
};

static int fill_names(const struct certificate *c, gnutls_x509_crt_t crt)
{
	int r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, "sekisho", 7);

	if (r >= 0)
		r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "sekisho", 7, GNUTLS_FSAN_SET);
	for (size_t i = 0; r >= 0 && i < c->n_addresses; i++)
		r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, c->addresses[i].b,
							 (unsigned)addr_len(c->addresses[i].family),
							 GNUTLS_FSAN_APPEND);
	return r;
}

static int fill(const struct certificate *c, gnutls_x509_crt_t crt)
{
	unsigned char serial[16], id[20];
	size_t id_size = sizeof(id);
	int r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	serial[0] &= 0x7f; /* a serial number is positive (RFC 5280, 4.1.2.2) */
	if (r >= 0)
		r = gnutls_x509_crt_set_version(crt, 3);
	if (r >= 0)
		r = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	if (r >= 0) /* the certificate ends with the authority's, whatever the clock tells now */
		r = gnutls_x509_crt_set_activation_time(crt, gnutls_x509_crt_get_activation_time(c->authority));
	if (r >= 0)
		r = gnutls_x509_crt_set_expiration_time(crt, gnutls_x509_crt_get_expiration_time(c->authority));
	if (r >= 0)
		r = fill_names(c, crt);
	if (r >= 0)
		r = gnutls_x509_crt_set_key(crt, c->key);
	if (r >= 0)
		r = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (r >= 0)
		r = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, &id_size);
	if (r >= 0)
		r = gnutls_x509_crt_set_subject_key_id(crt, id, id_size);
	id_size = sizeof(id);
	if (r >= 0)
		r = gnutls_x509_crt_get_subject_key_id(c->authority, id, &id_size, NULL);
	if (r >= 0)
		r = gnutls_x509_crt_set_authority_key_id(crt, id, id_size);
	return r >= 0 ? gnutls_x509_crt_sign2(crt, c->authority, c->authority_key, GNUTLS_DIG_SHA256, 0) : r;
}

/* Makes one more version with the present addresses. 0, or GnuTLS's negative code. */
static int issue(struct certificate *c)
{
	gnutls_x509_crt_t crt = NULL;
	int r = gnutls_x509_crt_init(&crt);

	if (r >= 0)
		r = fill(c, crt);
	if (r >= 0)
		r = gnutls_pcert_import_x509(&c->versions[c->n_versions][0], crt, 0);
	if (r >= 0) {
		r = gnutls_pcert_import_x509(&c->versions[c->n_versions][1], c->authority, 0);
		if (r < 0)
			gnutls_pcert_deinit(&c->versions[c->n_versions][0]);
	}
	if (r >= 0)
		c->n_versions++;
	if (crt != NULL)
		gnutls_x509_crt_deinit(crt);
	return r;
}

static int read_authority(struct certificate *c, const char *key, const char *authority)
{
	gnutls_datum_t d = { 0 };
	unsigned char key_id[20], crt_id[20];
	size_t n_key = sizeof(key_id), n_crt = sizeof(crt_id);
	int r;

	/* GnuTLS's datum is not const, but it only reads. */
	d.size = (unsigned)strlen(key);
	d.data = gnutls_malloc(d.size);
	if (d.data == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	memcpy(d.data, key, d.size);
	r = gnutls_x509_privkey_import2(c->authority_key, &d, GNUTLS_X509_FMT_PEM, NULL, 0);
	gnutls_memset(d.data, 0, d.size);
	gnutls_free(d.data);
	d.size = (unsigned)strlen(authority);
	d.data = gnutls_malloc(d.size);
	if (d.data == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	memcpy(d.data, authority, d.size);
	if (r >= 0)
		r = gnutls_x509_crt_import(c->authority, &d, GNUTLS_X509_FMT_PEM);
	gnutls_free(d.data);
	if (r >= 0)
		r = gnutls_x509_privkey_get_key_id(c->authority_key, GNUTLS_KEYID_USE_SHA1, key_id, &n_key);
	if (r >= 0)
		r = gnutls_x509_crt_get_key_id(c->authority, GNUTLS_KEYID_USE_SHA1, crt_id, &n_crt);
	if (r >= 0 && (n_key != n_crt || memcmp(key_id, crt_id, n_key) != 0))
		r = GNUTLS_E_CERTIFICATE_KEY_MISMATCH;
	return r;
}

static int open_all(struct certificate *c, const char *authority_key, const char *authority)
{
	int r = gnutls_x509_privkey_init(&c->authority_key);

	if (r >= 0)
		r = gnutls_x509_privkey_init(&c->key);
	if (r >= 0)
		r = gnutls_x509_crt_init(&c->authority);
	if (r >= 0)
		r = gnutls_privkey_init(&c->signer);
	if (r >= 0)
		r = read_authority(c, authority_key, authority);
	if (r >= 0) /* a key for this process alone, never stored */
		r = gnutls_x509_privkey_generate2(c->key, GNUTLS_PK_ECDSA,
						  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0, NULL, 0);
	if (r >= 0)
		r = gnutls_privkey_import_x509(c->signer, c->key, 0);
	return r >= 0 ? issue(c) : r;
}

struct certificate *certificate_open(const char *authority_key, const char *authority, struct err *e)
{
	struct certificate *c = calloc(1, sizeof(*c));
	int r = c != NULL ? open_all(c, authority_key, authority) : GNUTLS_E_MEMORY_ERROR;

	if (r >= 0)
		return c;
	err_set(e, r == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EBADMSG, "key.pem and certificate.pem: %s",
		gnutls_strerror(r));
	certificate_close(c);
	return NULL;
}

void certificate_cover(struct certificate *c, const struct addr *a)
{
	for (size_t i = 0; i < c->n_addresses; i++)
		if (addr_cmp(&c->addresses[i], a) == 0)
			return;
	if (c->n_addresses == CERTIFICATE_ADDRESSES)
		return;
	c->addresses[c->n_addresses++] = *a;
	if (issue(c) < 0)
		c->n_addresses--; /* tried again at the next connection */
}

void certificate_present(struct certificate *c, gnutls_pcert_st **ret_chain, unsigned *ret_n, gnutls_privkey_t *ret_key)
{
	*ret_chain = c->versions[c->n_versions - 1];
	*ret_n = CHAIN;
	*ret_key = c->signer;
}

void certificate_ask(gnutls_session_t session)
{
	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
}

void certificate_shown(gnutls_session_t session, uint8_t ret[32])
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);

	memset(ret, 0, 32);
	if (chain != NULL && n > 0)
		sha256(chain[0].data, chain[0].size, ret);
}

void certificate_close(struct certificate *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n_versions; i++)
		for (unsigned k = 0; k < CHAIN; k++)
			gnutls_pcert_deinit(&c->versions[i][k]);
	if (c->signer != NULL)
		gnutls_privkey_deinit(c->signer);
	if (c->authority != NULL)
		gnutls_x509_crt_deinit(c->authority);
	if (c->key != NULL)
		gnutls_x509_privkey_deinit(c->key);
	if (c->authority_key != NULL)
		gnutls_x509_privkey_deinit(c->authority_key);
	free(c);
}
