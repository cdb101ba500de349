/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sekisho-notify: every two seconds reads the box's status, and its grave records. Sends by mail
 * what is wrong, since when, and when it is over: the first at once, then at most one mail in ten
 * minutes with everything that came meanwhile. Started by sekisho-notify.service in the admin
 * namespace as a user without rights. Writes its state to a file, which the daemon reads.
 *
 * sekisho-notify SETTINGS CONTROL-SOCKET, with STATE_DIRECTORY, RUNTIME_DIRECTORY, and optionally
 * CREDENTIALS_DIRECTORY/password
 *
 * A mail goes to the server of box.cfg, by libcurl. It always uses TLS: STARTTLS, or at port 465
 * TLS from the first byte on. The server needs a certificate for its name that the configured
 * authority has signed. DNS is not used: the settings have the address.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/clock.h"
#include "appliance/wire/plain.h"
#include "mgmt/notify/outlet.h"
#include "mgmt/state/read.h"

#define SEND_S 30L
#define PASSWORD_MOST 256u
#define LINE_BYTES 57u	  /* bytes for 76 letters of base64: RFC 2045, 6.8 */
#define SUBJECT_BYTES 45u /* bytes for an encoded word of 75 letters: RFC 2047, 2 */

struct mail {
	const char *subject, *text; /* UTF-8 */
	/* number of the mail, by which a repetition is recognised */
	uint64_t number;
	uint64_t now_s;
};

static void base64(FILE *to, const uint8_t *p, size_t n)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		size_t has = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)p[i] << 16 | (has > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (has > 2 ? p[i + 2] : 0u);

		fputc(letters[v >> 18], to);
		fputc(letters[v >> 12 & 63], to);
		fputc(has > 1 ? letters[v >> 6 & 63] : '=', to);
		fputc(has > 2 ? letters[v & 63] : '=', to);
	}
}

/* Each encoded word holds whole characters: a piece never begins inside one. */
static void subject(FILE *to, const char *text)
{
	size_t left = strlen(text);

	fputs("Subject:", to);
	while (left > 0) {
		size_t n = left < SUBJECT_BYTES ? left : SUBJECT_BYTES;

		while (n < left && n > 1 && ((uint8_t)text[n] & 0xc0) == 0x80)
			n--;
		fputs(" =?UTF-8?B?", to);
		base64(to, (const uint8_t *)text, n);
		fputs(n < left ? "?=\r\n" : "?=", to);
		text += n;
		left -= n;
	}
	fputs("\r\n", to);
}

static void write_mail(FILE *to, const struct outlet_settings *s, const struct mail *m)
{
	size_t n = strlen(m->text);
	time_t now = (time_t)m->now_s;
	char date[64];
	struct tm t;

	gmtime_r(&now, &t);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &t);
	fprintf(to, "Date: %s\r\nFrom: <%s>\r\nTo:", date, s->from);
	for (const char *at = s->to; *at != '\0'; at += strcspn(at, " ") + (at[strcspn(at, " ")] == ' '))
		fprintf(to, "%s <%.*s>", at == s->to ? "" : ",\r\n", (int)strcspn(at, " "), at);
	fputs("\r\n", to);
	subject(to, m->subject);
	fprintf(to, "Message-ID: <%llu.%s>\r\n", (unsigned long long)m->number, s->from);
	fputs("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	      "Content-Transfer-Encoding: base64\r\n\r\n",
	      to);
	for (size_t i = 0; i < n; i += LINE_BYTES) {
		base64(to, (const uint8_t *)m->text + i, n - i < LINE_BYTES ? n - i : LINE_BYTES);
		fputs("\r\n", to);
	}
}

static struct curl_slist *recipient_list(const struct outlet_settings *s)
{
	struct curl_slist *list = NULL, *more;
	char *copy = strdup(s->to), *rest = copy, *one;

	while (copy != NULL && (one = strsep(&rest, " ")) != NULL) {
		more = curl_slist_append(list, one);
		if (more == NULL) {
			curl_slist_free_all(list);
			list = NULL;
			break;
		}
		list = more;
	}
	free(copy);
	return list;
}

/* The server's text is not shown: its answer to a login may contain what was sent. */
static bool perform_mail(CURL *c, struct err *e)
{
	CURLcode r = curl_easy_perform(c);
	long code = 0;

	if (r == CURLE_OK)
		return true;
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
	err_set(e, -EIO, code >= 400 ? "%s (%ld)" : "%s", curl_easy_strerror(r), code);
	return false;
}

static bool send_with(CURL *c, const struct outlet_settings *s, const char *password, struct curl_slist *to, FILE *body,
		      struct err *e)
{
	bool six = s->address.family == 6;
	char url[300], where[400], address[ADDR_TEXT];
	struct curl_slist *connect_to;
	bool good;

	addr_text(&s->address, address);
	snprintf(url, sizeof(url), "%s://%s:%u", s->port == 465 ? "smtps" : "smtp", s->name, (unsigned)s->port);
	snprintf(where, sizeof(where), "::%s%s%s:%u", six ? "[" : "", address, six ? "]" : "", (unsigned)s->port);
	connect_to = curl_slist_append(NULL, where);
	good = connect_to != NULL && curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECT_TO, connect_to) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CAINFO, s->ca) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_TIMEOUT, SEND_S) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_MAIL_FROM, s->from) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_MAIL_RCPT, to) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_READDATA, body) == CURLE_OK &&
	       (*s->user == '\0' || (curl_easy_setopt(c, CURLOPT_USERNAME, s->user) == CURLE_OK &&
				     curl_easy_setopt(c, CURLOPT_PASSWORD, password) == CURLE_OK));
	if (!good)
		err_set(e, -ENOMEM, "settings of libcurl");
	good = good && perform_mail(c, e);
	curl_slist_free_all(connect_to);
	return good;
}

/* `password`: "" = no login. False: *e has the reason, without any secret. */
static bool mail_send(const struct outlet_settings *s, const char *password, const struct mail *m, struct err *e)
{
	CURL *c = curl_easy_init();
	struct curl_slist *to = recipient_list(s);
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n), *body = NULL;
	bool good = c != NULL && to != NULL && out != NULL;

	if (out != NULL) {
		write_mail(out, s, m);
		good = fclose(out) == 0 && good;
	}
	if (good)
		body = fmemopen(text, n, "r");
	if (body != NULL)
		good = send_with(c, s, password, to, body, e);
	else
		good = err_set(e, -ENOMEM, "a mail") == 0;
	if (body != NULL)
		fclose(body);
	free(text);
	curl_slist_free_all(to);
	curl_easy_cleanup(c);
	return good;
}

static char password[PASSWORD_MOST];

static bool is_recipient(const char *list, const char *one)
{
	size_t n = strlen(one);

	for (const char *at = list; (at = strstr(at, one)) != NULL; at += n)
		if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

/* Adds the mailboxes in the contacts of the zones that a waiting alarm is about. */
static void add_recipients(const struct ledger *l, char *to, size_t size)
{
	char one[PLAIN_MAILBOX_MAX + 2];

	for (size_t i = 0; i < ledger_waiting(l); i++)
		json_each(contact, ja(ledger_at(l, i), "contacts")) {
			const char *at = json_is_string(contact) ? json_string_value(contact) : "";

			while (plain_mailbox_next(&at, one)) {
				size_t n = strlen(to);

				if (plain_mailbox(one) && !is_recipient(to, one) && n + strlen(one) + 2 <= size)
					snprintf(to + n, size - n, " %s", one);
			}
		}
}

static void tell_by_mail(struct outlet *o)
{
	char recipients[2 * PLAIN_MAILBOXES_MAX * (PLAIN_MAILBOX_MAX + 1)];
	struct outlet_settings s = o->s;
	struct mail m = { .number = ledger_number(&o->ledger), .now_s = clock_wall_s() };
	char *text = ledger_text(&o->ledger, o->s.lang, o->contact),
	     *subject = ledger_subject(&o->ledger, o->s.lang, o->site);
	struct err e = { 0 };

	m.text = text;
	m.subject = subject;
	snprintf(recipients, sizeof(recipients), "%s", o->s.to);
	add_recipients(&o->ledger, recipients, sizeof(recipients));
	s.to = recipients;
	if (*o->s.user != '\0' && password[0] == '\0') {
		outlet_failed(o, "no password: /etc/sekisho/mail-password");
	} else if (text == NULL || subject == NULL) {
		outlet_failed(o, "no memory");
	} else if (!mail_send(&s, password, &m, &e)) {
		outlet_failed(o, e.text);
	} else {
		ledger_told(&o->ledger, m.now_s);
		outlet_well(o);
	}
	free(text);
	free(subject);
}

int main(int argc, char **argv)
{
	struct outlet o = { .program = "sekisho-notify" };
	int r = outlet_open(&o, OUTLET_MAIL, argc, argv);

	if (r != 0)
		return r;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		fprintf(stderr, "sekisho-notify: settings of libcurl\n");
		return 1;
	}
	outlet_credential("password", 0, password, sizeof(password));
	outlet_run(&o, tell_by_mail);
}
