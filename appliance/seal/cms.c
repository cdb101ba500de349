/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/seal/cms.h"

#include <limits.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

struct cms_key {
	EVP_PKEY *key;
};

bool cms_ready(void)
{
	unsigned char first[16];

	return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) == 1 &&
	       RAND_bytes(first, sizeof(first)) == 1 && RAND_priv_bytes(first, sizeof(first)) == 1;
}

static BIO *reader(struct bytes b)
{
	return b.left <= INT_MAX ? BIO_new_mem_buf(b.p, (int)b.left) : NULL;
}

static bool copied(const void *p, long n, uint8_t **ret, size_t *ret_n)
{
	if (p == NULL || n < 0)
		return false;
	*ret = malloc((size_t)n + 1);
	if (*ret == NULL)
		return false;
	memcpy(*ret, p, (size_t)n);
	*ret_n = (size_t)n;
	return true;
}

/* Sets how the content key is encrypted. The library's default is from 1998. */
static bool handed_over(EVP_PKEY_CTX *p, const X509 *certificate)
{
	int kind = EVP_PKEY_get_base_id(X509_get0_pubkey(certificate));

	if (kind == EVP_PKEY_RSA)
		return EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_OAEP_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_oaep_md(p, EVP_sha256()) == 1 &&
		       EVP_PKEY_CTX_set_rsa_mgf1_md(p, EVP_sha256()) == 1;
	return kind == EVP_PKEY_EC && EVP_PKEY_CTX_set_ecdh_kdf_md(p, EVP_sha256()) == 1;
}

static bool cms_envelope(X509 *certificate, struct bytes plain, uint8_t **ret, size_t *ret_n)
{
	CMS_ContentInfo *cms = CMS_AuthEnvelopedData_create(EVP_aes_256_gcm());
	CMS_RecipientInfo *to = cms != NULL ? CMS_add1_recipient_cert(cms, certificate, CMS_KEY_PARAM) : NULL;
	EVP_PKEY_CTX *p = to != NULL ? CMS_RecipientInfo_get0_pkey_ctx(to) : NULL;
	BIO *in = reader(plain);
	unsigned char *der = NULL;
	int n = -1;
	bool ok;

	if (in != NULL && p != NULL && handed_over(p, certificate) && CMS_set_detached(cms, 0) == 1 &&
	    CMS_final(cms, in, NULL, CMS_BINARY) == 1)
		n = i2d_CMS_ContentInfo(cms, &der);
	ok = copied(der, n, ret, ret_n);
	OPENSSL_free(der);
	BIO_free(in);
	CMS_ContentInfo_free(cms);
	return ok;
}

bool cms_fingerprint(struct bytes certificate, uint8_t out[32])
{
	BIO *in = reader(certificate);
	X509 *x = in != NULL ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
	unsigned n = 32;
	bool ok = x != NULL && X509_digest(x, EVP_sha256(), out, &n) == 1 && n == 32;

	X509_free(x);
	BIO_free(in);
	ERR_clear_error();
	return ok;
}

/* Gives no passphrase to a text that asks for one. */
static int no_passphrase(char *out, int size, int writes, void *ctx)
{
	return -1;
}

bool cms_pair(struct bytes certificate, struct bytes key)
{
	BIO *in = reader(certificate), *in_key = reader(key);
	X509 *x = in != NULL ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
	EVP_PKEY *k = in_key != NULL ? PEM_read_bio_PrivateKey(in_key, NULL, no_passphrase, NULL) : NULL;
	bool ok = x != NULL && k != NULL && X509_check_private_key(x, k) == 1;

	X509_free(x);
	EVP_PKEY_free(k);
	BIO_free(in);
	BIO_free(in_key);
	ERR_clear_error();
	return ok;
}

enum cms_trouble cms_encrypt(struct bytes certificate, struct bytes plain, uint8_t **ret, size_t *ret_n)
{
	enum cms_trouble t = CMS_NONE;
	BIO *in = reader(certificate);
	X509 *x = in != NULL ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;

	if (memmem(certificate.p, certificate.left, "PRIVATE KEY-----", 16) != NULL)
		t = CMS_PRIVATE_KEY;
	else if (x == NULL)
		t = CMS_NO_CERTIFICATE;
	else if (!cms_envelope(x, plain, ret, ret_n))
		t = CMS_FAILED;
	X509_free(x);
	BIO_free(in);
	ERR_clear_error();
	return t;
}

enum cms_trouble cms_key_read(struct bytes pem, struct cms_key **ret)
{
	struct cms_key *k = calloc(1, sizeof(*k));
	BIO *in = reader(pem);

	if (k != NULL && in != NULL)
		k->key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	BIO_free(in);
	ERR_clear_error();
	if (k == NULL || k->key == NULL) {
		cms_key_free(k);
		return CMS_NO_KEY;
	}
	*ret = k;
	return CMS_NONE;
}

void cms_key_free(struct cms_key *k)
{
	if (k != NULL)
		EVP_PKEY_free(k->key);
	free(k);
}

bool cms_decrypt(struct cms_key *k, struct bytes message, uint8_t **ret, size_t *ret_n)
{
	const unsigned char *p = message.p;
	CMS_ContentInfo *cms = message.left <= LONG_MAX ? d2i_CMS_ContentInfo(NULL, &p, (long)message.left) : NULL;
	BIO *out = BIO_new(BIO_s_mem());
	char *text = NULL;
	bool ok = false;

	/* Nothing may follow the message. Only authenticated encryption is accepted, because
	 * without a tag the content could be altered. */
	if (cms != NULL && out != NULL && p == message.p + message.left &&
	    OBJ_obj2nid(CMS_get0_type(cms)) == NID_id_smime_ct_authEnvelopedData &&
	    CMS_decrypt(cms, k->key, NULL, NULL, out, CMS_BINARY) == 1) {
		long n = BIO_get_mem_data(out, &text);

		ok = copied(text, n, ret, ret_n);
	}
	BIO_free(out);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return ok;
}
