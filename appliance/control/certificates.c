/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/base/utf8.h"
#include "appliance/control/answers.h"
#include "appliance/control/certificates.h"
#include "appliance/control/control.h"
#include "appliance/control/expiry.h"
#include "appliance/control/ground.h"

#define SECOND 1000000000ull
#define SOON_NS SECOND /* time for mgmt to answer */

static const char *const use_words[CERTIFICATE_USES] = { "web", "log", "update", "mail", "log_own" };
static const char *const state_words[CERTIFICATE_STATES] = { "good",	"near",	      "close",	 "ended",
							     "not_yet", "unreadable", "unknown", "unjudged" };

/* Whether the box shows a certificate to its log server: it does so with RELP, if a certificate was
 * set. With RELP and no certificate nothing is sent; the alarm about waiting records tells that. */
static bool shows_itself(const struct ir *ir)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].use == PEER_LOG && ir->peers[i].relp)
			return faccessat(AT_FDCWD, LOG_CERTIFICATE, F_OK, 0) == 0;
	return false;
}

/* The file that the policy in force names for this use; NULL = none. */
static const char *named_file(const struct control *s, enum certificate_use use)
{
	static const enum peer_use peers[CERTIFICATE_USES] = {
		[CERTIFICATE_LOG] = PEER_LOG, [CERTIFICATE_UPDATE] = PEER_UPDATE, [CERTIFICATE_MAIL] = PEER_MAIL
	};
	const struct ir *ir = s->now->ir;

	if (use == CERTIFICATE_WEB)
		return "certificate.pem";
	if (use == CERTIFICATE_LOG_OWN)
		return shows_itself(ir) ? LOG_CERTIFICATE : NULL;
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].use == peers[use] && ir->peers[i].ca[0] != '\0')
			return ir->peers[i].ca;
	return NULL;
}

/* ---- judging --------------------------------------------------------------------------------- */

/* *which: the certificate concerned; *since: wall clock in ns, 0 = unknown. */
static enum certificate_state judge_file(const struct control *s, const struct certificate_file *f, size_t *which,
					 uint64_t *since)
{
	static const enum certificate_state states[EXPIRIES] = { CERTIFICATE_GOOD, CERTIFICATE_NEAR, CERTIFICATE_CLOSE,
								 CERTIFICATE_ENDED, CERTIFICATE_NOT_YET };
	struct validity list[CERTIFICATES_TOLD];
	size_t n = f->says.n < CERTIFICATES_TOLD ? f->says.n : CERTIFICATES_TOLD;
	enum expiry e;

	*which = 0;
	*since = f->bad_since;
	if (f->bad_since != 0)
		return CERTIFICATE_UNREADABLE;
	if (!f->known || n == 0)
		return CERTIFICATE_UNKNOWN;
	if (!s->trusted)
		return CERTIFICATE_UNJUDGED;
	for (size_t i = 0; i < n; i++)
		list[i] = (struct validity){ f->says.from[i], f->says.until[i] };
	e = expiry_of(list, n, clock_wall_s(), which, since);
	*since *= SECOND;
	return states[e];
}

/* "log /etc/sekisho/ca.pem (2026-12-01T09:00:00.000Z)" */
static void object_text(const struct certificate_file *f, enum certificate_use use, enum certificate_state is,
			size_t which, char out[EVENT_TEXT])
{
	bool dated = f->known && is < CERTIFICATE_UNREADABLE && is != CERTIFICATE_GOOD;
	json_t *end = dated ? json_time((is == CERTIFICATE_NOT_YET ? f->says.from : f->says.until)[which] * SECOND)
			    : json_null();

	snprintf(out, EVENT_TEXT, "%s %.120s%s%s%s", use_words[use], f->path, dated ? " (" : "",
		 dated ? json_string_value(end) : "", dated ? ")" : "");
	json_decref(end);
}

static void record_state(struct control *s, struct certificate_file *f, uint8_t code, const char *object)
{
	struct event e = event_new(EVENT_MACHINE, clock_wall_ns());

	f->said = code;
	e.code = code;
	event_say(&e, EVENT_OBJECT, object);
	event_send(&s->events, &e);
}

/* Records a changed state of the file's certificates. A state that is unknown, or not judged
 * because the clock is not trusted, changes nothing. */
static void tell_state(struct control *s, enum certificate_use use)
{
	static const uint8_t codes[CERTIFICATE_STATES] = { [CERTIFICATE_GOOD] = MACHINE_CERTIFICATE_GOOD,
							   [CERTIFICATE_NEAR] = MACHINE_CERTIFICATE_ENDS_SOON,
							   [CERTIFICATE_CLOSE] = MACHINE_CERTIFICATE_ENDS_SOON,
							   [CERTIFICATE_ENDED] = MACHINE_CERTIFICATE_ENDED,
							   [CERTIFICATE_NOT_YET] = MACHINE_CERTIFICATE_NOT_YET,
							   [CERTIFICATE_UNREADABLE] = MACHINE_CERTIFICATE_UNREADABLE };
	struct certificate_file *f = &s->certificates.files[use];
	char object[EVENT_TEXT];
	uint64_t since;
	size_t which;
	enum certificate_state is = judge_file(s, f, &which, &since);

	if (is == CERTIFICATE_UNKNOWN || is == CERTIFICATE_UNJUDGED || codes[is] == f->said ||
	    (is == CERTIFICATE_GOOD && f->said == 0))
		return;
	object_text(f, use, is, which, object);
	record_state(s, f, codes[is], object);
}

/* The box uses another file now, or none (path ""). If a fault of the former file was reported,
 * records that this fault is over. */
static void rename_to(struct control *s, enum certificate_use use, const char *path)
{
	struct certificate_file *f = &s->certificates.files[use];
	char object[EVENT_TEXT];

	if (f->said != 0 && f->said != MACHINE_CERTIFICATE_GOOD) {
		object_text(f, use, CERTIFICATE_GOOD, 0, object);
		record_state(s, f, MACHINE_CERTIFICATE_GOOD, object);
	}
	memset(f, 0, sizeof(*f));
	snprintf(f->path, sizeof(f->path), "%s", path);
}

/* ---- looking --------------------------------------------------------------------------------- */

static void went_bad(struct certificate_file *f, enum authority is)
{
	f->is = is;
	f->id = 0;
	f->asked = 0;
	f->known = false;
	if (f->bad_since == 0)
		f->bad_since = clock_wall_ns();
}

/* Each question has a new id, so that an answer about an earlier text is not taken for this one. */
static void ask_about(struct control *s, struct certificate_file *f, const uint8_t *text, size_t n)
{
	const struct msg_body question = { .type = MSG_CERTIFICATES };
	int fd = -1;

	f->id = 0;
	f->asked = 0;
	if (s->web < 0 || (text != NULL && (fd = memfd_sealed("certificates", text, n)) < 0))
		return;
	f->id = relayed_id(SLOT_MGMT, ++s->next_id);
	if (ask_slot(s, SLOT_MGMT, f->id, &question, &fd, fd >= 0 ? 1 : 0))
		f->asked = s->web_number;
	if (fd >= 0)
		close(fd);
}

/* Notes the state of the file. Asks about its text again when it has changed, or when mgmt is a new
 * process. */
static void file_has(struct control *s, struct certificate_file *f, enum authority is, const uint8_t *text, size_t n)
{
	uint8_t digest[32] = { 0 };

	if (is != AUTHORITY_READY) {
		went_bad(f, is);
		return;
	}
	if (text != NULL)
		sha256(text, n, digest);
	if (memcmp(digest, f->digest, sizeof(digest)) != 0) {
		f->known = false;
		f->asked = 0;
		memcpy(f->digest, digest, sizeof(digest));
	}
	if (f->asked == 0 || f->asked != s->web_number)
		ask_about(s, f, text, n);
}

static void look_at_file(struct control *s, enum certificate_use use)
{
	struct certificate_file *f = &s->certificates.files[use];
	struct sentence why = { 0 };
	uint8_t *text = NULL;
	enum authority is = AUTHORITY_READY;
	size_t n = 0;

	/* The file may be readable by root alone. */
	if (use == CERTIFICATE_LOG_OWN) {
		collect_pass(s, SLOT_BOX, &(struct msg_body){ MSG_FILE, .file = { .which = BOX_FILE_LOG } },
			     (struct asker){ .kind = ASKER_CERTIFICATE });
		return;
	}
	if (use != CERTIFICATE_WEB)
		is = authority_look(f->path, &text, &n, &why);
	file_has(s, f, is, text, n);
	free(text);
}

void certificates_file(struct control *s, struct asker a, int status, int fd)
{
	struct certificate_file *f = &s->certificates.files[CERTIFICATE_LOG_OWN];
	struct sentence why = { 0 };
	uint8_t *text = NULL;
	enum authority is;
	size_t n = 0;

	if (f->path[0] == '\0')
		return;
	if (status == ANSWER_YES && fd >= 0)
		is = certificate_read(fd, f->path, &text, &n, &why);
	else
		is = status == ANSWER_NO ? AUTHORITY_ABSENT : AUTHORITY_UNREAD;
	file_has(s, f, is, text, n);
	tell_state(s, CERTIFICATE_LOG_OWN);
	free(text);
}

void certificates_look(struct control *s, uint64_t now)
{
	struct certificates *c = &s->certificates;
	bool waits = false;

	for (unsigned use = 0; use < CERTIFICATE_USES; use++) {
		const char *path = named_file(s, use);

		if (strcmp(path != NULL ? path : "", c->files[use].path) != 0)
			rename_to(s, use, path != NULL ? path : "");
		if (path == NULL)
			continue;
		look_at_file(s, use);
		tell_state(s, use);
		waits |= c->files[use].asked == 0 && c->files[use].bad_since == 0;
	}
	if (waits)
		s->watches[WATCH_CERTIFICATES].at = now + SOON_NS;
}

void certificates_told(struct control *s, uint32_t id, const struct msg_certified *says)
{
	for (unsigned use = 0; use < CERTIFICATE_USES; use++) {
		struct certificate_file *f = &s->certificates.files[use];

		if (id == 0 || f->id != id)
			continue;
		f->id = 0;
		f->says = *says;
		f->known = true;
		if (says->n == 0) {
			uint32_t asked = f->asked;

			went_bad(f, AUTHORITY_NONE);
			f->asked = asked;
		} else {
			f->is = AUTHORITY_READY;
			f->bad_since = 0;
		}
		tell_state(s, use);
	}
}

/* ---- showing --------------------------------------------------------------------------------- */

static json_t *end_json(uint64_t seconds)
{
	return json_time(seconds < UINT64_MAX / SECOND ? seconds * SECOND : UINT64_MAX);
}

/* Keeps only the printable characters of mgmt's text, because mgmt parses what strangers send. */
static json_t *subject_json(const uint8_t *text)
{
	char said[CERTIFICATE_SUBJECT], out[CERTIFICATE_SUBJECT];

	snprintf(said, sizeof(said), "%.*s", (int)CERTIFICATE_SUBJECT - 1, (const char *)text);
	utf8_plain(said, out, sizeof(out));
	return json_text(out);
}

static json_t *list_json(const struct certificate_file *f)
{
	json_t *list = json_array();

	for (size_t i = 0; f->known && i < f->says.n && i < CERTIFICATES_TOLD; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o}", "subject",
						      subject_json(&f->says.subject[i * CERTIFICATE_SUBJECT]), "from",
						      end_json(f->says.from[i]), "until", end_json(f->says.until[i]),
						      "sha256", json_hex(&f->says.digest[i * 32], 32)));
	return list;
}

json_t *json_certificates(const struct control *s)
{
	json_t *all = json_array();

	for (unsigned use = 0; use < CERTIFICATE_USES; use++) {
		const struct certificate_file *f = &s->certificates.files[use];
		enum certificate_state is;
		uint64_t since;
		size_t which;

		if (f->path[0] == '\0')
			continue;
		is = judge_file(s, f, &which, &since);
		json_array_append_new(
			all, json_pack("{s:s, s:o, s:s, s:o, s:o, s:I, s:o, s:o}", "use", use_words[use], "file",
				       use != CERTIFICATE_WEB ? json_text(f->path) : json_null(), "state",
				       state_words[is], "why",
				       is == CERTIFICATE_UNREADABLE ? json_string(authority_words[f->is]) : json_null(),
				       "since", since != 0 ? json_time(since) : json_null(), "certificates",
				       (json_int_t)(f->known ? f->says.n : 0), "about",
				       is < CERTIFICATE_UNREADABLE && f->known ? json_integer((json_int_t)which)
									       : json_null(),
				       "list", list_json(f)));
	}
	return all;
}
