/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/certificate.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_S 86400
#define LIFE_DAYS 3650 /* clients pin it; replacing it is deleting the file */

static int failed(struct err *e, int code, const char *what)
{
	return err_set(e, code == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EIO, "certificate: %s: %s", what, gnutls_strerror(code));
}

static int fill_names(gnutls_x509_crt_t crt, const struct addr *addresses, size_t n)
{
	static const char name[] = "sekisho";
	int r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, sizeof(name) - 1);

	if (r >= 0)
		r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name, sizeof(name) - 1, GNUTLS_FSAN_SET);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, addresses[i].b,
							 (unsigned)addr_len(addresses[i].family), GNUTLS_FSAN_APPEND);
	return r;
}

static int fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const struct addr *addresses, size_t n)
{
	unsigned char serial[16], id[20];
	size_t id_size = sizeof(id);
	time_t now = time(NULL);
	int r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	serial[0] &= 0x7f; /* positive */
	if (r >= 0)
		r = gnutls_x509_crt_set_version(crt, 3);
	if (r >= 0)
		r = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	if (r >= 0) /* a clock that is a little fast must not make it invalid */
		r = gnutls_x509_crt_set_activation_time(crt, now - DAY_S);
	if (r >= 0)
		r = gnutls_x509_crt_set_expiration_time(crt, now + (time_t)LIFE_DAYS * DAY_S);
	if (r >= 0)
		r = fill_names(crt, addresses, n);
	if (r >= 0)
		r = gnutls_x509_crt_set_key(crt, key);
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
	if (r >= 0)
		r = gnutls_x509_crt_set_authority_key_id(crt, id, id_size);
	return r >= 0 ? gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0) : r;
}

/* A malloc'd copy with a NUL; GnuTLS's own memory is wiped and given back. NULL when memory is out. */
static char *take(gnutls_datum_t *d)
{
	char *text = malloc((size_t)d->size + 1);

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

static int export(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, char **ret_key, char **ret_certificate, struct err *e)
{
	gnutls_datum_t k = { 0 }, c = { 0 };
	int r = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &k);

	if (r >= 0)
		r = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &c);
	if (r < 0)
		return failed(e, r, "export");
	*ret_key = take(&k);
	*ret_certificate = take(&c);
	if (*ret_key != NULL && *ret_certificate != NULL)
		return 0;
	free(*ret_key);
	free(*ret_certificate);
	return err_set(e, -ENOMEM, "certificate");
}

int certificate_make(const struct addr *addresses, size_t n, char **ret_key, char **ret_certificate, struct err *e)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	int r, code;

	*ret_key = *ret_certificate = NULL;
	r = gnutls_x509_privkey_init(&key);
	if (r >= 0)
		r = gnutls_x509_crt_init(&crt);
	if (r >= 0)
		r = gnutls_x509_privkey_generate2(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0,
						  NULL, 0);
	if (r >= 0)
		r = fill(crt, key, addresses, n);
	code = r < 0 ? failed(e, r, "making") : export(crt, key, ret_key, ret_certificate, e);
	if (crt != NULL)
		gnutls_x509_crt_deinit(crt);
	if (key != NULL)
		gnutls_x509_privkey_deinit(key);
	return code;
}
