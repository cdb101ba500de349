/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/compile/seal.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/bundle.h"
#include "appliance/base/clock.h"
#include "appliance/base/json.h"
#include "appliance/base/sha256.h"
#include "appliance/base/version.h"
#include "appliance/seal/cards.h"
#include "appliance/seal/cms.h"
#include "appliance/seal/file.h"

/* What the bundle says; each a reference of its own. */
struct words {
	json_t *host, *status, *devices, *generations;
};

static json_t *text_json(struct bytes text)
{
	return json_loadb((const char *)text.p, text.left, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
}

static bool named(struct bytes name, const char *word)
{
	return name.left == strlen(word) && memcmp(name.p, word, name.left) == 0;
}

static bool words_read(struct bytes b, struct words *w)
{
	struct bytes name, text;
	uint32_t n;

	w->generations = json_array();
	if (!bundle_head(&b, &n))
		return false;
	while (n-- > 0) {
		json_t *j;

		if (!bundle_next(&b, &name, &text) || (j = text_json(text)) == NULL)
			return false;
		if (named(name, "generation"))
			(void)json_array_append_new(w->generations, j);
		else if (named(name, "host") && w->host == NULL)
			w->host = j;
		else if (named(name, "status") && w->status == NULL)
			w->status = j;
		else if (named(name, "devices") && w->devices == NULL)
			w->devices = j;
		else {
			json_decref(j);
			return false;
		}
	}
	return json_is_string(w->host) && json_is_object(w->status) && w->devices != NULL &&
	       json_array_size(w->generations) > 0;
}

static void words_free(struct words *w)
{
	json_decref(w->host);
	json_decref(w->status);
	json_decref(w->devices);
	json_decref(w->generations);
}

static json_t *null_or(json_t *j)
{
	return j != NULL ? json_incref(j) : json_null();
}

/* The whole, and of it what may be said beside the file. */
static json_t *contents(const struct words *w, json_t **ret_line)
{
	json_t *made = json_time(clock_wall_ns()), *list = cards_of_box(w->status);
	const json_t *in_force = json_object_get(json_array_get(w->generations, 0), "generation");
	json_t *all = json_pack("{s:s,s:i,s:s,s:O,s:O,s:o,s:o,s:O,s:O,s:o,s:O}", "product", "sekisho", "form",
				BACKUP_FORM, "version", SEKISHO_VERSION, "made", made, "host", w->host, "site",
				null_or(json_object_get(w->status, "site")), "journal",
				null_or(json_object_get(w->status, "journal")), "cards", list, "devices", w->devices,
				"leaked", null_or(json_object_get(json_object_get(w->status, "accounts"), "leaked")),
				"generations", w->generations);

	if (all == NULL)
		return NULL;
	*ret_line =
		json_pack("{s:o,s:o,s:i,s:O,s:o}", "made", made, "cards", list, "generations",
			  (int)json_array_size(w->generations), "in_force",
			  null_or(json_object_get(in_force, "number")), "devices",
			  json_is_object(w->devices)
				  ? json_integer((json_int_t)json_array_size(json_object_get(w->devices, "devices")))
				  : json_null());
	return all;
}

/* "{...}\n", then the file. */
static bool put_together(json_t *line, struct bytes body, struct msg_sealed *m, uint8_t **ret, size_t *ret_n)
{
	char first[BACKUP_LINE + 1], digest[65], key[65], *said;
	size_t n_said, n;

	backup_line(body, first);
	m->bytes = BACKUP_LINE + body.left;
	sha256_pair(first, BACKUP_LINE, body.p, body.left, m->digest);
	hex_text(m->digest, sizeof(m->digest), digest);
	hex_text(m->key, sizeof(m->key), key);
	json_object_set_new(line, "sha256", json_string(digest));
	json_object_set_new(line, "key", json_string(key));
	json_object_set_new(line, "bytes", json_integer((json_int_t)m->bytes));
	said = json_dumps(line, JSON_COMPACT);
	n_said = said != NULL ? strlen(said) : 0;
	n = n_said + 1 + m->bytes;
	*ret = said != NULL ? malloc(n) : NULL;
	if (*ret != NULL) {
		memcpy(*ret, said, n_said);
		(*ret)[n_said] = '\n';
		memcpy(*ret + n_said + 1, first, BACKUP_LINE);
		memcpy(*ret + n_said + 1 + BACKUP_LINE, body.p, body.left);
		*ret_n = n;
	}
	free(said);
	return *ret != NULL;
}

static enum seal_trouble encrypt(struct bytes certificate, const json_t *all, uint8_t **ret, size_t *ret_n)
{
	char *text = json_dumps(all, JSON_COMPACT);
	enum cms_trouble t = CMS_FAILED;

	if (text == NULL)
		return SEAL_NONSENSE;
	if (cms_ready())
		t = cms_encrypt(certificate, bytes_of(text, strlen(text)), ret, ret_n);
	free(text);
	return t == CMS_NONE		 ? SEAL_NO_TROUBLE
	       : t == CMS_PRIVATE_KEY	 ? SEAL_PRIVATE_KEY
	       : t == CMS_NO_CERTIFICATE ? SEAL_NO_CERTIFICATE
					 : SEAL_KEY;
}

struct msg_sealed seal_bundle(struct bytes certificate, struct bytes bundle, uint8_t **ret, size_t *ret_n)
{
	struct msg_sealed m = { .trouble = SEAL_NONSENSE };
	json_t *all = NULL, *line = NULL;
	struct words w = { 0 };
	uint8_t *body = NULL;
	size_t n = 0;

	*ret = NULL;
	*ret_n = 0;
	if (words_read(bundle, &w))
		all = contents(&w, &line);
	words_free(&w);
	if (all != NULL && line != NULL)
		m.trouble = (uint8_t)encrypt(certificate, all, &body, &n);
	if (m.trouble == SEAL_NO_TROUBLE && !cms_fingerprint(certificate, m.key))
		m.trouble = SEAL_NO_CERTIFICATE;
	if (m.trouble == SEAL_NO_TROUBLE && !put_together(line, bytes_of(body, n), &m, ret, ret_n))
		m.trouble = SEAL_NONSENSE;
	free(body);
	json_decref(line);
	json_decref(all);
	return m;
}
