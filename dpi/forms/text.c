/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recognises line protocols in which the server greets first: FTP, SMTP, POP3, IMAP; and Telnet. A
 * greeting alone is not enough (FTP and SMTP have the same one), so the client's first command
 * decides, after a greeting that fits.
 */
#include "dpi/prefix.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Recognises one of these commands in upper or lower case, followed by a blank or the end of the
 * line. */
static enum recognition one_of(struct prefix at, const char *const *verbs, size_t n)
{
	enum recognition best = RECOGNISE_NOT;

	for (size_t i = 0; i < n; i++) {
		struct prefix p = at;
		uint32_t c;

		if (!may_be_verb(&p, verbs[i]))
			continue;
		c = next_byte(&p);
		if (p.more)
			best = RECOGNISE_MORE;
		else if (c == ' ' || c == '\r' || c == '\n')
			return RECOGNISED;
	}
	return best;
}

/* Recognises a reply. `codes`: its three digits, '.' for any digit. A reply is one line, or the
 * first of several lines. */
static enum recognition reply(struct bytes head, const char *const *codes, size_t n)
{
	enum recognition best = RECOGNISE_NOT;

	for (size_t i = 0; i < n; i++) {
		struct prefix p = { .b = head };
		bool fits = true;
		uint32_t c;

		for (unsigned k = 0; k < 3 && fits; k++)
			fits = codes[i][k] == '.' ? may_be(&p, '0', '9')
						  : may_be(&p, (uint8_t)codes[i][k], (uint8_t)codes[i][k]);
		c = next_byte(&p);
		if (!fits)
			continue;
		if (p.more)
			best = RECOGNISE_MORE;
		else if (c == ' ' || c == '-' || c == '\r')
			return RECOGNISE_HALF;
	}
	return best;
}

/* Greetings by RFC 959, 5.4: 220, 120 before it, 421 or another refusal. Commands that are allowed
 * before a login: RFC 959, 2228, 2389, 2640, 4217, 7151. */
enum recognition recognise_ftp(enum direction dir, struct bytes head)
{
	static const char *const codes[] = { "220", "120", "4..", "5.." };
	static const char *const verbs[] = { "USER", "PASS", "ACCT", "QUIT", "NOOP", "HELP", "STAT", "SYST", "REIN",
					     "FEAT", "OPTS", "AUTH", "ADAT", "PBSZ", "PROT", "CCC",  "MIC",  "CONF",
					     "ENC",  "HOST", "LANG", "CLNT", "SITE", "ABOR", "TYPE", "PWD",  "CWD" };
	struct prefix p = { .b = head };

	return dir == DIR_S2C ? reply(head, codes, COUNT(codes)) : one_of(p, verbs, COUNT(verbs));
}

/* Greetings by RFC 5321, 3.1: 220, or the refusals 554 and 421. Commands that are allowed before a
 * transaction: 4.1.4. */
enum recognition recognise_smtp(enum direction dir, struct bytes head)
{
	static const char *const codes[] = { "220", "4..", "5.." };
	static const char *const verbs[] = { "EHLO", "HELO", "NOOP", "HELP", "EXPN", "VRFY", "RSET", "QUIT" };
	struct prefix p = { .b = head };

	return dir == DIR_S2C ? reply(head, codes, COUNT(codes)) : one_of(p, verbs, COUNT(verbs));
}

/* Commands that are allowed before authentication: RFC 1939, 3 and 4; RFC 2449, 2595, 5034,
 * 6856. */
enum recognition recognise_pop3(enum direction dir, struct bytes head)
{
	static const char *const answers[] = { "+OK", "-ERR" };
	static const char *const verbs[] = { "USER", "APOP", "AUTH", "CAPA", "STLS", "QUIT", "LANG", "UTF8" };
	struct prefix p = { .b = head };

	return dir == DIR_S2C ? one_of(p, answers, COUNT(answers)) : one_of(p, verbs, COUNT(verbs));
}

/* RFC 9051, 7.1 and 6: a server begins with a greeting, which is OK, PREAUTH or BYE without a tag;
 * a client begins with a tag and a command. */
enum recognition recognise_imap(enum direction dir, struct bytes head)
{
	static const char *const greetings[] = { "OK", "PREAUTH", "BYE" };
	static const char *const verbs[] = { "CAPABILITY", "NOOP",	 "LOGOUT",    "STARTTLS", "AUTHENTICATE",
					     "LOGIN",	   "ID",	 "ENABLE",    "SELECT",	  "EXAMINE",
					     "CREATE",	   "DELETE",	 "RENAME",    "LIST",	  "LSUB",
					     "STATUS",	   "NAMESPACE",	 "SUBSCRIBE", "APPEND",	  "IDLE",
					     "COMPRESS",   "UNSUBSCRIBE" };
	struct prefix p = { .b = head };
	unsigned n = 0;
	uint32_t c;

	if (dir == DIR_S2C)
		return may_be_word(&p, "* ") ? p.more ? RECOGNISE_MORE : one_of(p, greetings, COUNT(greetings))
					     : RECOGNISE_NOT;
	while ((c = next_byte(&p)) != ' ' && !p.more)
		if (c <= 0x20 || c >= 0x7f || strchr("(){%*\"\\+", (int)c) != NULL || ++n > 32)
			return RECOGNISE_NOT;
	if (p.more)
		return RECOGNISE_MORE;
	return n > 0 ? one_of(p, verbs, COUNT(verbs)) : RECOGNISE_NOT;
}

/* ---- Telnet ---- */

#define GREETING 8u /* characters of text that are enough to recognise a server */

/* Reads a command after IAC (RFC 854; options as registered by IANA): the negotiation of an option,
 * or a function, after which the text continues. */
static bool may_be_telnet_command(struct prefix *p, bool *ret_option)
{
	uint32_t c = next_byte(p), option;

	*ret_option = c >= 250 && c <= 254;
	if (p->more || !*ret_option)
		return p->more || (c >= 241 && c <= 249);
	option = next_byte(p);
	return p->more || option < 64 || (option >= 138 && option <= 140) || option == 255;
}

/*
 * Whether a terminal shows, or a person types, this character (RFC 854, "The NVT printer and
 * keyboard"), in any language. A zero is accepted only after a carriage return, where it stands for
 * a missing line feed.
 */
static bool is_of_a_terminal(uint32_t c, uint32_t before)
{
	return is_text(c) || (c == 0 && before == '\r') || (c >= 7 && c <= 13) || c == 0x1b || c == 0x7f;
}

/* Compares with beginnings of other text protocols. */
static enum recognition others(struct bytes head, enum direction dir)
{
	static const char *const greetings[] = { "SSH-", "220", "120", "421", "554", "+OK", "-ERR", "* ",
						 /* 200 to 502: NNTP (RFC 3977, 5.1) */
						 "RFB ", "HTTP/", "RTSP/", "200 ", "201 ", "400 ", "502 ",
						 "@RSYNCD:", "*KISMET:" };
	static const char *const speeches[] = { "SSH-", "EHLO ", "HELO ", "RFB ", "@RSYNCD:" };
	const char *const *words = dir == DIR_S2C ? greetings : speeches;
	enum recognition best = RECOGNISE_NOT;

	for (size_t i = 0; i < (dir == DIR_S2C ? COUNT(greetings) : COUNT(speeches)); i++) {
		struct prefix p = { .b = head };

		if (!may_be_verb(&p, words[i]))
			continue;
		if (!p.more)
			return RECOGNISED;
		best = RECOGNISE_MORE;
	}
	for (unsigned i = 0; dir == DIR_C2S && head.p[0] != '\r' && best != RECOGNISED && i < 2; i++) {
		enum recognition r = i == 0 ? recognise_http(dir, head) : recognise_rtsp(dir, head);

		best = r == RECOGNISED || best == RECOGNISE_NOT ? r : best;
	}
	return best;
}

/*
 * Either end may begin, with options or with text (RFC 854, RFC 855, RFC 1123, 3.2). Other
 * protocols send text, too. So a server's text counts only if it is no greeting of another
 * protocol. A client's text counts only after such a server text, and only if it fits no other
 * protocol or its first line is complete.
 */
enum recognition recognise_telnet(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head };
	enum recognition other = others(head, dir);
	bool option = false;
	uint32_t before = 0;

	if (other == RECOGNISED)
		return RECOGNISE_NOT;
	for (unsigned n = 0;; n++) {
		uint32_t c = next_byte(&p);

		if (p.more)
			break;
		if (c == 255 ? !may_be_telnet_command(&p, &option) : !is_of_a_terminal(c, before))
			return RECOGNISE_NOT;
		before = c;
		if (p.more || option)
			break;
		if (dir == DIR_S2C && n + 1u == GREETING)
			return RECOGNISE_HALF;
		if (dir == DIR_C2S && c != 255 &&
		    (c == '\r' || c == '\n' || others(bytes_of(head.p, head.left - p.b.left), dir) == RECOGNISE_NOT))
			return RECOGNISE_IF_GREETED;
	}
	return so_far(&p);
}
