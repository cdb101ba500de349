/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handshake keeps the certificate that it began with, and several handshakes may run, so no
 * certificate is ever freed. Their number is bounded, because there is at most one for each new
 * address.
 */
#include "mgmt/web/certificate.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/sha256.h"

/* ---- what both levels share ------------------------------------------------------------------ */

#define KEY_ID 20u /* bytes of SHA-1, as GnuTLS names keys */

static int make_key(gnutls_x509_privkey_t key)
{
	return gnutls_x509_privkey_generate2(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0,
					     NULL, 0);
}

/* Sets the version, a serial number, the validity and the key. *ret_id: the id of the key. */
static int fill_common(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, time_t from, time_t until,
		       unsigned char ret_id[KEY_ID])
{
	unsigned char serial[16];
	size_t id_size = KEY_ID;
	int r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	serial[0] &= 0x7f; /* a serial number is positive (RFC 5280, 4.1.2.2) */
	if (r >= 0)
		r = gnutls_x509_crt_set_version(crt, 3);
	if (r >= 0)
		r = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	if (r >= 0)
		r = gnutls_x509_crt_set_activation_time(crt, from);
	if (r >= 0)
		r = gnutls_x509_crt_set_expiration_time(crt, until);
	if (r >= 0)
		r = gnutls_x509_crt_set_key(crt, key);
	return r >= 0 ? gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, ret_id, &id_size) : r;
}

/* ---- the server's certificate ---------------------------------------------------------------- */

#define CHAIN 2u

struct certificate {
	gnutls_x509_privkey_t authority_key, key;
	gnutls_x509_crt_t authority;
	gnutls_privkey_t signer; /* `key` in the form for handshakes */
	struct addr addresses[CERTIFICATE_ADDRESSES];
	size_t n_addresses;
	/* All certificates so far; the last one is presented. Each is a chain with the authority's
	 * certificate, because a browser shows the authority's only if it is sent. */
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

static int fill_fields(const struct certificate *c, gnutls_x509_crt_t crt)
{
	unsigned char id[KEY_ID];
	size_t id_size = sizeof(id);
	/* the certificate is valid exactly as long as the authority's, whatever the clock says
	 * now */
	int r = fill_common(crt, c->key, gnutls_x509_crt_get_activation_time(c->authority),
			    gnutls_x509_crt_get_expiration_time(c->authority), id);

	if (r >= 0)
		r = fill_names(c, crt);
	if (r >= 0)
		r = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (r >= 0)
		r = gnutls_x509_crt_set_subject_key_id(crt, id, sizeof(id));
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
		r = fill_fields(c, crt);
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

/* GnuTLS's datum is not const, but it only reads. */
static gnutls_datum_t datum_of(const char *text)
{
	gnutls_datum_t d = { .data = gnutls_malloc(strlen(text) + 1), .size = (unsigned)strlen(text) };

	if (d.data != NULL)
		memcpy(d.data, text, d.size);
	return d;
}

static int read_authority(struct certificate *c, const char *key, const char *authority)
{
	gnutls_datum_t k = datum_of(key), a = datum_of(authority);
	unsigned char key_id[KEY_ID], crt_id[KEY_ID];
	size_t n_key = sizeof(key_id), n_crt = sizeof(crt_id);
	int r = k.data == NULL || a.data == NULL ? GNUTLS_E_MEMORY_ERROR : 0;

	if (r >= 0)
		r = gnutls_x509_privkey_import2(c->authority_key, &k, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (r >= 0)
		r = gnutls_x509_crt_import(c->authority, &a, GNUTLS_X509_FMT_PEM);
	if (k.data != NULL)
		gnutls_memset(k.data, 0, k.size);
	gnutls_free(k.data);
	gnutls_free(a.data);
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
		r = make_key(c->key);
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

/* ---- the authority --------------------------------------------------------------------------- */

#define DAY_S 86400
#define LIFE_DAYS 3650 /* people install it in clients by hand; deleting the file replaces it */

static int permit(gnutls_x509_name_constraints_t nc, gnutls_x509_subject_alt_name_t kind, const void *p, unsigned n)
{
	unsigned char copy[32] = { 0 };
	gnutls_datum_t d = { .data = copy, .size = n };

	memcpy(copy, p, n);
	return gnutls_x509_name_constraints_add_permitted(nc, kind, &d);
}

/* Restricted to the name "sekisho" and to addresses of both families: a client that trusts it
 * cannot be shown another site's name. */
static int constrain(gnutls_x509_crt_t crt)
{
	static const unsigned char all[32] = { 0 }; /* address and mask */
	gnutls_x509_name_constraints_t nc = NULL;
	int r = gnutls_x509_name_constraints_init(&nc);

	if (r >= 0)
		r = permit(nc, GNUTLS_SAN_DNSNAME, "sekisho", 7);
	if (r >= 0)
		r = permit(nc, GNUTLS_SAN_IPADDRESS, all, 8);
	if (r >= 0)
		r = permit(nc, GNUTLS_SAN_IPADDRESS, all, 32);
	if (r >= 0)
		r = gnutls_x509_crt_set_name_constraints(crt, nc, 1);
	if (nc != NULL)
		gnutls_x509_name_constraints_deinit(nc);
	return r;
}

/* "Sekisho 1a2b3c4d", by the key: two boxes in a list of authorities can be told apart. */
static int set_name(gnutls_x509_crt_t crt, const unsigned char *id)
{
	char text[32] = "Sekisho ";

	hex_text(id, 4, text + 8);
	return gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, text, (unsigned)strlen(text));
}

static int fill_authority(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	unsigned char id[KEY_ID];
	time_t now = time(NULL);
	/* a clock that is a little fast must not make it invalid */
	int r = fill_common(crt, key, now - DAY_S, now + (time_t)LIFE_DAYS * DAY_S, id);

	if (r >= 0)
		r = set_name(crt, id);
	if (r >= 0)
		r = gnutls_x509_crt_set_subject_key_id(crt, id, sizeof(id));
	if (r >= 0)
		r = gnutls_x509_crt_set_basic_constraints(crt, 1, 0);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN);
	if (r >= 0)
		r = constrain(crt);
	return r >= 0 ? gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0) : r;
}

/* A malloc'd copy with a NUL; GnuTLS's own memory is wiped and freed. NULL: no memory. */
static char *take_text(gnutls_datum_t *d)
{
	char *text = d->data != NULL ? malloc((size_t)d->size + 1) : NULL;

	if (text != NULL) {
		memcpy(text, d->data, d->size);
		text[d->size] = '\0';
	}
	if (d->data != NULL)
		gnutls_memset(d->data, 0, d->size);
	gnutls_free(d->data);
	d->data = NULL;
	return text;
}

static int make_certificate(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, gnutls_datum_t *ret_key,
			    gnutls_datum_t *ret_crt)
{
	int r = make_key(key);

	if (r >= 0)
		r = fill_authority(crt, key);
	if (r >= 0)
		r = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, ret_key);
	return r >= 0 ? gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, ret_crt) : r;
}

int certificate_make(char **ret_key, char **ret_certificate, struct err *e)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	gnutls_datum_t k = { 0 }, c = { 0 };
	int r = gnutls_x509_privkey_init(&key);

	if (r >= 0)
		r = gnutls_x509_crt_init(&crt);
	if (r >= 0)
		r = make_certificate(crt, key, &k, &c);
	*ret_key = take_text(&k);
	*ret_certificate = take_text(&c);
	if (crt != NULL)
		gnutls_x509_crt_deinit(crt);
	if (key != NULL)
		gnutls_x509_privkey_deinit(key);
	if (*ret_key != NULL && *ret_certificate != NULL)
		return 0;
	if (*ret_key != NULL)
		gnutls_memset(*ret_key, 0, strlen(*ret_key));
	free(*ret_key);
	free(*ret_certificate);
	*ret_key = *ret_certificate = NULL;
	r = r < 0 ? err_set(e, -EIO, "certificate: %s", gnutls_strerror(r)) : err_set(e, -ENOMEM, "certificate");
	return r < 0 ? r : -EIO;
}

/* ---- certificates in a file ------------------------------------------------------------------ */

/* A longer subject is cut; a NUL always follows. */
static int fill_subject(gnutls_x509_crt_t crt, uint8_t out[CERTIFICATE_SUBJECT])
{
	gnutls_datum_t name = { 0 };
	int r = gnutls_x509_crt_get_dn3(crt, &name, 0);
	size_t n = name.size < CERTIFICATE_SUBJECT - 1 ? name.size : CERTIFICATE_SUBJECT - 1;

	if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return 0; /* an empty subject is valid */
	if (r >= 0)
		memcpy(out, name.data, n);
	gnutls_free(name.data);
	return r;
}

/* Writes entry `at` of the answer. */
static int put_entry(gnutls_x509_crt_t crt, struct msg_certified *ret, size_t at)
{
	gnutls_datum_t der = { 0 };
	int r = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);

	if (r >= 0)
		sha256(der.data, der.size, &ret->digest[at * 32]);
	gnutls_free(der.data);
	ret->from[at] = (uint64_t)gnutls_x509_crt_get_activation_time(crt);
	ret->until[at] = (uint64_t)gnutls_x509_crt_get_expiration_time(crt);
	return r >= 0 ? fill_subject(crt, &ret->subject[at * CERTIFICATE_SUBJECT]) : r;
}

static int last_first(const void *a, const void *b)
{
	time_t x = gnutls_x509_crt_get_expiration_time(*(const gnutls_x509_crt_t *)a);
	time_t y = gnutls_x509_crt_get_expiration_time(*(const gnutls_x509_crt_t *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

static bool dated(gnutls_x509_crt_t crt)
{
	return gnutls_x509_crt_get_activation_time(crt) != (time_t)-1 &&
	       gnutls_x509_crt_get_expiration_time(crt) != (time_t)-1;
}

/* Bundled files may contain a certificate twice, so duplicates are removed by digest. The list is
 * sorted by the end of validity, so duplicates are near each other. */
static unsigned each_once(gnutls_x509_crt_t *list, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned same = kept;

		while (same > 0 && last_first(&list[same - 1], &list[i]) == 0 &&
		       gnutls_x509_crt_equals(list[same - 1], list[i]) == 0)
			same--;
		if (same > 0 && last_first(&list[same - 1], &list[i]) == 0)
			gnutls_x509_crt_deinit(list[i]);
		else
			list[kept++] = list[i];
	}
	return kept;
}

struct msg_certified certificate_summary(const void *pem, size_t n)
{
	struct msg_certified ret = { 0 };
	gnutls_x509_crt_t *list = NULL;
	gnutls_datum_t d = { .size = (unsigned)n };
	unsigned n_list = 0;
	int r = -1;

	/* GnuTLS's datum is not const, but it only reads. */
	if (n > 0 && n <= CERTIFICATE_FILE && (d.data = malloc(n)) != NULL) {
		memcpy(d.data, pem, n);
		r = gnutls_x509_crt_list_import2(&list, &n_list, &d, GNUTLS_X509_FMT_PEM, 0);
	}
	free(d.data);
	if (r < 0)
		return ret;
	for (unsigned i = 0; i < n_list && r >= 0; i++)
		r = dated(list[i]) ? r : -1;
	qsort(list, n_list, sizeof(gnutls_x509_crt_t), last_first);
	n_list = each_once(list, n_list);
	ret.n = n_list;
	for (unsigned i = 0; i < n_list && i < CERTIFICATES_TOLD && r >= 0; i++)
		r = put_entry(list[i], &ret, i);
	for (unsigned i = 0; i < n_list; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	return r >= 0 ? ret : (struct msg_certified){ 0 };
}
