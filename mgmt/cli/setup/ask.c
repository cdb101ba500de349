/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/utf8.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/setup/setup.h"
#include "mgmt/cli/setup/step.h"

#define LOOK_MS 300 /* ms between looks at the cables and at the time that is left */

static volatile sig_atomic_t ended;

static void end(int signal)
{
	ended = 1;
}

void setup_ask_to_the_end(void)
{
	/* without SA_RESTART: a read that waits ends */
	const struct sigaction act = { .sa_handler = end };

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
}

/* Waits until a line was typed. False: no line can come any more, or the time for an answer is
 * over. */
static bool line_waits(struct setup *s)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	for (;;) {
		if (ended || (s->ends_ns != 0 && clock_mono().ns >= s->ends_ns))
			return false;
		if (poll(&in, 1, LOOK_MS) > 0)
			return true;
		if (s->watch != NULL)
			s->watch(s);
	}
}

/* Text that a policy can hold in quotes: whole characters, no control characters. */
static bool good(const char *text)
{
	return utf8_is_plain(bytes_of(text, strlen(text))) && strpbrk(text, "\"\\") == NULL;
}

/* Reads a line. False: end of input. A line that is too long is read to its end and ignored. */
static bool line_read(char out[SETUP_LINE], bool *whole)
{
	size_t n;
	int c;

	*whole = true;
	if (fgets(out, (int)SETUP_LINE, stdin) == NULL)
		return false;
	n = strlen(out);
	if (n == SETUP_LINE - 1 && out[n - 1] != '\n') {
		*whole = false;
		while ((c = getchar()) != EOF && c != '\n')
			;
	}
	while (n > 0 && isspace((unsigned char)out[n - 1]))
		out[--n] = '\0';
	n = strspn(out, " \t");
	memmove(out, out + n, strlen(out + n) + 1);
	return true;
}

/* Whether the text is one of the words, also in full-width letters of an input method. */
static bool is(const char text[SETUP_LINE], const char *one, const char *two, const char *three)
{
	char plain[SETUP_LINE];

	snprintf(plain, sizeof(plain), "%s", text);
	step_plain(plain);
	return strcmp(plain, one) == 0 || strcmp(plain, two) == 0 || strcmp(plain, three) == 0;
}

enum said setup_ask(struct setup *s, const char *question, const char *otherwise, char out[SETUP_LINE])
{
	for (;;) {
		bool whole;

		fputc('\n', s->c->out);
		text_wrap_all(s->c->out, question);
		if (otherwise != NULL && *otherwise != '\0')
			fprintf(s->c->out, " [%s]", otherwise);
		fputs("\n> ", s->c->out);
		fflush(s->c->out);
		if (!line_waits(s) || !line_read(out, &whole)) {
			fputc('\n', s->c->out);
			return SAID_QUIT;
		}
		if (is(out, "q", "quit", "終了"))
			return SAID_QUIT;
		if (is(out, "b", "back", "戻る"))
			return SAID_BACK;
		if (whole && good(out)) {
			if (out[0] == '\0' && otherwise != NULL)
				snprintf(out, SETUP_LINE, "%s", otherwise);
			return SAID_TEXT;
		}
		step_tell(s, M_SETUP_LINE_BAD);
	}
}

void step_tell(struct setup *s, enum message m, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, m);
	message_vtext(text, sizeof(text), s->c->lang, m, ap);
	va_end(ap);
	text_wrap_all(s->c->out, text);
	if (text[strlen(text) - 1] != '\n')
		fputc('\n', s->c->out);
}

/* Full-width letters of an input method count as plain ones. */
void step_plain(char text[SETUP_LINE])
{
	char out[SETUP_LINE];
	struct bytes b = bytes_of(text, strlen(text));
	struct utf8_char ch;
	size_t n = 0;

	for (const uint8_t *at = b.p; utf8_next(&b, &ch); at = b.p) {
		char ascii = utf8_ascii_for(ch.cp);

		if (ascii != 0)
			out[n++] = ascii;
		else {
			memcpy(out + n, at, ch.size);
			n += ch.size;
		}
	}
	out[n] = '\0';
	memcpy(text, out, n + 1);
}

enum step_result step_ask(struct setup *s, enum message question, const char *otherwise, char out[SETUP_LINE])
{
	enum said said = setup_ask(s, message_format(question, s->c->lang), otherwise, out);

	return said == SAID_BACK ? STEP_BACK : said == SAID_QUIT ? STEP_QUIT : STEP_GO;
}

enum step_result step_ask_plain(struct setup *s, enum message question, const char *otherwise, char out[SETUP_LINE])
{
	enum step_result r = step_ask(s, question, otherwise, out);

	step_plain(out);
	return r;
}

/* The form of names in policies. */
bool step_name_good(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return n > 0 && text[n] == '\0' && n <= SETUP_NAME_MOST && text[0] != '-';
}
