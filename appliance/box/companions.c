/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/box/companions.h"
#include "appliance/wire/plain.h"

#define HEAD "# Written by sekishod from box.cfg whenever it changes; what is changed here is lost.\n"

struct text {
	char *out;
	size_t n; /* COMPANION_TEXT: the text did not fit */
};

static void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void text_add(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->out + t->n, COMPANION_TEXT - t->n, fmt, args);
	va_end(args);
	t->n = n >= 0 && (size_t)n < COMPANION_TEXT - t->n ? t->n + (size_t)n : COMPANION_TEXT;
}

/* ---- the settings of each program ------------------------------------------------------------ */

/* Each of the following functions writes the file of one program, without its head. False: a text
 * is not plain. */

static bool chrony(struct text *t, const struct ir *ir, const struct ir_peer *p, const struct companion_box *b)
{
	unsigned sources = 0;

	for (uint32_t i = 0; i < ir->n_peers; i++) {
		char address[ADDR_TEXT];

		if (ir->peers[i].use != p->use)
			continue;
		addr_text(&ir->peers[i].address, address);
		text_add(t, "server %s port %u iburst\n", address, (unsigned)ir->peers[i].port);
		sources++;
	}
	/* If box.cfg names two or more sources, a source that answers alone is not trusted, because
	 * it may be wrong. */
	if (sources > 1)
		text_add(t, "minsources 2\n");
	text_add(t, "# Nobody is served.\n"
		    "port 0\n"
		    "cmdport 0\n"
		    "# The first three answers may set the clock; from then on it is only led, and by no more than a "
		    "minute.\n"
		    "makestep 1 3\n"
		    "maxchange 60 3 -1\n"
		    "# The kernel is told that the clock has a source, which status asks it for.\n"
		    "rtcsync\n"
		    "driftfile /var/lib/chrony/chrony.drift\n");
	return true;
}

#define AGAIN "       action.resumeRetryCount=\"-1\" action.resumeInterval=\"1\" action.resumeIntervalMax=\"30\")\n"

/*
 * Syslog over TLS (RFC 5425), with octet-counted frames. The protocol has no acknowledgement, so
 * records in a connection are lost when the server dies. An idle connection is tested after 10 s. A
 * connection is given up if data stays unacknowledged after the namespace's number of repetitions
 * (tcp_retries2, box/box.c).
 */
static void syslog_tls(struct text *t, const struct ir_peer *p, const char *address)
{
	text_add(
		t,
		"action(type=\"omfwd\" target=\"%s\" port=\"%u\" protocol=\"tcp\" template=\"record\" "
		"TCP_Framing=\"octet-counted\"\n"
		"       streamDriver=\"gtls\" streamDriverMode=\"1\" streamDriverAuthMode=\"x509/name\" "
		"streamDriverPermittedPeers=\"%s\"\n"
		"       keepAlive=\"on\" keepAlive.time=\"10\" keepAlive.interval=\"5\" keepAlive.probes=\"3\"\n" AGAIN,
		address, (unsigned)p->port, p->name);
}

/*
 * RELP: the server acknowledges each record, and records without an acknowledgement are sent again
 * in the next session. When the program ends, up to COMPANION_WINDOW records may count as read
 * although they were not acknowledged, so the next start begins that many lines earlier
 * (images/log). Servers with librelp refuse clients without a certificate, so the unit gets a
 * certificate of the box (images/systemd/sekisho-log.service).
 */
static void relp(struct text *t, const struct ir_peer *p, const char *address)
{
	text_add(
		t,
		"module(load=\"omrelp\" tls.tlslib=\"gnutls\")\n"
		"action(type=\"omrelp\" target=\"%s\" port=\"%u\" template=\"record\" windowSize=\"%u\" timeout=\"15\" "
		"conn.timeout=\"10\"\n"
		"       tls=\"on\" tls.caCert=\"%s\" tls.authMode=\"name\" tls.permittedPeer=[\"%s\"]\n"
		"       tls.myCert=`echo $CREDENTIALS_DIRECTORY/certificate` tls.myPrivKey=`echo "
		"$CREDENTIALS_DIRECTORY/key`\n" AGAIN,
		address, (unsigned)p->port, COMPANION_WINDOW, p->ca, p->name);
}

/*
 * Turns each line into EVE by a program of this repository (mgmt/eve). If that program dies while
 * it has a line, a second process gets the line. If the second process fails, too, or cannot be
 * started, the line is sent as the box wrote it.
 */
static void as_eve(struct text *t)
{
	static const char one[] = "action(type=\"mmexternal\" binary=`echo $SEKISHO_EVE` interface.input=\"msg\" "
				  "action.resumeInterval=\"1\")\n";

	text_add(t, "module(load=\"mmexternal\")\n%sif not ($msg startswith '" COMPANION_EVE "') then\n       %s", one,
		 one);
}

static bool rsyslog(struct text *t, const struct ir *ir, const struct ir_peer *p, const struct companion_box *b)
{
	char address[ADDR_TEXT];

	if (!plain_server_name(p->name) || !plain_path(p->ca) || !plain_path(b->state))
		return false;
	addr_text(&p->address, address);
	/* Where rsyslogd keeps its reading position: the unit's StateDirectory=. A record is at
	 * most 8 KiB (journal/chain.h); EVE repeats parts of it. */
	text_add(t,
		 "global(workDirectory=`echo $STATE_DIRECTORY` maxMessageSize=\"%s\"\n"
		 "       defaultNetstreamDriverCAFile=\"%s\")\n"
		 "module(load=\"imfile\")\n",
		 p->eve ? "64k" : "16k", p->ca);
	/*
	 * There is no queue, because the records are on the disk anyway. A line counts as read when
	 * the connection to the server has taken it, one line at a time. The position is saved
	 * after every 16 lines and whenever no more lines wait, so that box/log_sent.c sees when
	 * everything was sent.
	 */
	text_add(t,
		 "main_queue(queue.type=\"Direct\")\n"
		 "input(type=\"imfile\" file=\"%s/journal/events-*.log\" tag=\"sekisho\" facility=\"local0\" "
		 "severity=\"info\"\n"
		 "      freshStartTail=\"off\" maxSubmitAtOnce=\"1\" persistStateInterval=\"16\" "
		 "persistStateAfterSubmission=\"on\")\n",
		 b->state);
	/* RFC 5424. */
	text_add(t, "template(name=\"record\" type=\"string\"\n"
		    "         string=\"<%%pri%%>1 %%timegenerated:::date-rfc3339%% %%hostname%% sekisho - - - "
		    "%%msg%%\")\n");
	if (p->eve)
		as_eve(t);
	if (p->relp)
		relp(t, p, address);
	else
		syslog_tls(t, p, address);
	return true;
}

static bool https(struct text *t, const struct ir_peer *p, const struct companion_box *b)
{
	char address[ADDR_TEXT];

	addr_text(&p->address, address);
	text_add(t, "netns %s\naddress %s\nport %u\nname %s\nca %s\n", b->netns, address, (unsigned)p->port, p->name,
		 p->ca);
	return plain_server_name(p->name) && plain_path(p->ca);
}

static bool user_or_none(struct text *t, const struct ir_peer *p)
{
	if (p->user[0] != '\0')
		text_add(t, "user %s\n", p->user);
	return p->user[0] == '\0' || plain_word(p->user);
}

static bool update(struct text *t, const struct ir *ir, const struct ir_peer *p, const struct companion_box *b)
{
	return https(t, p, b);
}

static bool backup(struct text *t, const struct ir *ir, const struct ir_peer *p, const struct companion_box *b)
{
	if (!https(t, p, b) || !plain_path(p->to))
		return false;
	text_add(t, "folder %s\n", p->to);
	return user_or_none(t, p);
}

static bool ups(struct text *t, const struct ir *ir, const struct ir_peer *p, const struct companion_box *b)
{
	char name[PLAIN_WORD_MAX + ADDR_TEXT + 16];

	if (!plain_word(p->name) || !plain_word(p->user))
		return false;
	text_add(t, "ups %s\nuser %s\n", companion_ups_name(p, name, sizeof(name)), p->user);
	/* The address by which the server knows the box among its clients. */
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		for (uint32_t k = 0; ir->interfaces[i].admin && k < ir->interfaces[i].n_addresses; k++) {
			char own[ADDR_TEXT];

			addr_text(&ir->interfaces[i].addresses[k], own);
			text_add(t, "own %s\n", own);
		}
	return true;
}

static bool mail(struct text *t, const struct ir *ir, const struct ir_peer *p, const struct companion_box *b)
{
	char address[ADDR_TEXT];

	if (!plain_server_name(p->name) || !plain_path(p->ca) || !plain_mailbox(p->from) || !plain_mailboxes(p->to))
		return false;
	addr_text(&p->address, address);
	text_add(t, "address %s\nport %u\nname %s\nca %s\nfrom %s\nto %s\nlang %s\n", address, (unsigned)p->port,
		 p->name, p->ca, p->from, p->to, lang_name(b->lang));
	return user_or_none(t, p);
}

static bool snmp(struct text *t, const struct ir *ir, const struct ir_peer *p, const struct companion_box *b)
{
	char address[ADDR_TEXT];

	addr_text(&p->address, address);
	text_add(t, "address %s\nport %u\nuser %s\nlang %s\n", address, (unsigned)p->port, p->user, lang_name(b->lang));
	return plain_security_name(p->user);
}

/* ---- together -------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum peer_use use;
	bool (*write)(struct text *t, const struct ir *ir, const struct ir_peer *p, const struct companion_box *b);
} files[COMPANION_FILES] = {
	[COMPANION_TIME] = { "time.conf", PEER_TIME, chrony },
	[COMPANION_LOG] = { "log.conf", PEER_LOG, rsyslog },
	[COMPANION_UPDATE] = { "update.conf", PEER_UPDATE, update },
	[COMPANION_BACKUP] = { "backup.conf", PEER_BACKUP, backup },
	[COMPANION_UPS] = { "ups.conf", PEER_UPS, ups },
	[COMPANION_NOTIFY] = { "notify.conf", PEER_MAIL, mail },
	[COMPANION_INFORM] = { "inform.conf", PEER_SNMP, snmp },
};

const char *companion_file_name(enum companion_file f)
{
	return files[f].name;
}

const struct ir_peer *companion_server(const struct ir *ir, enum peer_use use)
{
	for (uint32_t i = 0; i < ir->n_peers; i++)
		if (ir->peers[i].use == use)
			return &ir->peers[i];
	return NULL;
}

int companion_file(enum companion_file f, const struct ir *ir, const struct companion_box *b, char out[COMPANION_TEXT])
{
	const struct ir_peer *p = companion_server(ir, files[f].use);
	struct text t = { out, 0 };

	/* A log server without `ca` (the authority of its certificate) gets nothing. */
	if (p == NULL || (f == COMPANION_LOG && p->ca[0] == '\0'))
		return 0;
	text_add(&t, HEAD);
	if (!files[f].write(&t, ir, p, b))
		return -EINVAL;
	return t.n < COMPANION_TEXT ? (int)t.n : -ENOSPC;
}

const char *companion_ups_name(const struct ir_peer *p, char *out, size_t n)
{
	bool six = p->address.family == 6;
	char address[ADDR_TEXT];

	addr_text(&p->address, address);
	snprintf(out, n, "%s@%s%s%s:%u", p->name, six ? "[" : "", address, six ? "]" : "", (unsigned)p->port);
	return out;
}

/* ---- what a program reports ------------------------------------------------------------------ */

#define SECOND 1000000000ull

void companion_line(struct bytes *b, const char *key, char out[COMPANION_LINE])
{
	size_t n = 0;
	uint8_t c = 0;

	out[0] = '\0';
	for (; *key != '\0'; key++)
		if (!bytes_u8(b, &c) || c != (uint8_t)*key)
			b->failed = true;
	if (!bytes_u8(b, &c) || c != ' ')
		b->failed = true;
	while (bytes_u8(b, &c) && c != '\n') {
		if (c < ' ' || c > '~' || n == COMPANION_LINE - 1)
			b->failed = true;
		else
			out[n++] = (char)c;
	}
	out[b->failed ? 0 : n] = '\0';
}

int64_t companion_number(struct bytes *b, const char *key)
{
	char text[COMPANION_LINE] = { 0 };
	size_t n;
	int64_t v = 0;

	companion_line(b, key, text);
	if (b->failed || strcmp(text, "-") == 0)
		return -1;
	n = strspn(text, "0123456789");
	b->failed = n == 0 || n > 9 ||
		    (text[n] != '\0' && (text[n] != '.' || strspn(text + n + 1, "0123456789") != strlen(text + n + 1)));
	for (size_t i = 0; !b->failed && i < n; i++)
		v = v * 10 + (text[i] - '0');
	return b->failed ? -1 : v;
}

uint64_t companion_now_s(void)
{
	return clock_boot_ns() / SECOND;
}

bool companion_begin(struct bytes *b, const char *of, uint64_t now_s, uint64_t fresh_s, uint64_t *ret_at)
{
	int64_t at = companion_number(b, "at");
	char whom[COMPANION_LINE];

	companion_line(b, "of", whom);
	*ret_at = at >= 0 ? (uint64_t)at : 0;
	return at >= 0 && *ret_at <= now_s && now_s - *ret_at <= fresh_s && strcmp(whom, of) == 0;
}

/* Reads a file in another user's folder, where that user may have put anything. */
size_t companion_read(const char *path, uint8_t *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = pread(fd, out, size, 0);
	close(fd);
	/* If the buffer is full, the file is longer than any that is written for this purpose. */
	return n < 0 || (size_t)n >= size ? 0 : (size_t)n;
}

json_t *companion_time(uint64_t s)
{
	uint64_t ago = companion_now_s() > s ? companion_now_s() - s : 0;

	return json_time(clock_wall_ns() - ago * SECOND);
}

const char *const authority_words[AUTHORITIES] = { "ready", "absent", "unread", "link", "closed", "folder", "none" };

static enum authority unread(const char *path, int code, struct sentence *ret)
{
	if (code == ENOENT) {
		sentence_say(ret, M_CA_ABSENT, path);
		return AUTHORITY_ABSENT;
	}
	sentence_say(ret, M_CA_UNREAD, path, strerror(code));
	return AUTHORITY_UNREAD;
}

/* Whether a program with no special rights can enter every folder above `path`. `path` has no
 * links; it is cut in place. */
static enum authority passable(char *path, struct sentence *ret)
{
	for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		struct stat st;
		bool open;

		*at = '\0';
		open = stat(path, &st) == 0 && (st.st_mode & S_IXOTH) != 0;
		if (!open)
			sentence_say(ret, M_CA_FOLDER, path);
		*at = '/';
		if (!open)
			return AUTHORITY_FOLDER;
	}
	return AUTHORITY_READY;
}

/* Judges what was read; `r` is negative when reading failed. */
static enum authority certificate_in(int r, const char *path, uint8_t **ret_text, size_t *ret_n, struct sentence *ret)
{
	if (r < 0)
		return unread(path, -r, ret);
	if (memmem(*ret_text, *ret_n, "-----BEGIN CERTIFICATE-----", 27) != NULL)
		return AUTHORITY_READY;
	free(*ret_text);
	*ret_text = NULL;
	sentence_say(ret, M_CA_NONE, path);
	return AUTHORITY_NONE;
}

enum authority authority_look(const char *path, uint8_t **ret_text, size_t *ret_n, struct sentence *ret)
{
	char real[PATH_MAX];
	enum authority is;
	struct stat st;

	*ret_text = NULL;
	*ret_n = 0;
	if (lstat(path, &st) < 0 || realpath(path, real) == NULL)
		return unread(path, errno, ret);
	/* A symbolic link is refused, because its target could be another file tomorrow. */
	if (S_ISLNK(st.st_mode)) {
		sentence_say(ret, M_CA_LINK, path, real);
		return AUTHORITY_LINK;
	}
	if ((st.st_mode & S_IROTH) == 0) {
		sentence_say(ret, M_CA_CLOSED, path);
		return AUTHORITY_CLOSED;
	}
	is = passable(real, ret);
	if (is != AUTHORITY_READY)
		return is;
	return certificate_in(file_read(AT_FDCWD, path, AUTHORITY_MOST, ret_text, ret_n, NULL), path, ret_text, ret_n,
			      ret);
}

enum authority certificate_read(int fd, const char *path, uint8_t **ret_text, size_t *ret_n, struct sentence *ret)
{
	ssize_t got = 0;

	*ret_n = 0;
	*ret_text = malloc(AUTHORITY_MOST);
	while (*ret_text != NULL && *ret_n < AUTHORITY_MOST &&
	       (got = pread(fd, *ret_text + *ret_n, AUTHORITY_MOST - *ret_n, (off_t)*ret_n)) > 0)
		*ret_n += (size_t)got;
	if (*ret_text == NULL || got < 0) {
		free(*ret_text);
		*ret_text = NULL;
	}
	return certificate_in(*ret_text == NULL ? -EIO : 0, path, ret_text, ret_n, ret);
}

bool authority_ready(const char *path, struct sentence *ret)
{
	uint8_t *text;
	size_t n;
	bool ready = authority_look(path, &text, &n, ret) == AUTHORITY_READY;

	free(text);
	return ready;
}

#define DAY_S 86400u

const char *const ups_words[] = { "away", "mains", "battery", "low", "forced", NULL };

/* Whether `word` is one of the words, which are separated by blanks. */
static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; (p = strstr(p, word)) != NULL; p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}

/* NUT's words for the state of a UPS (RFC 9271, 5.1). During a calibration (CAL) the UPS drains its
 * battery on purpose. */
static enum ups_is state_of(const char *words)
{
	if (has_word(words, "FSD"))
		return UPS_FORCED;
	if (has_word(words, "OB"))
		return has_word(words, "LB") && !has_word(words, "CAL") ? UPS_LOW : UPS_BATTERY;
	return has_word(words, "OL") ? UPS_MAINS : UPS_AWAY;
}

static enum ups_counted counted_of(const char *word)
{
	if (strcmp(word, "yes") == 0)
		return UPS_COUNTED;
	return strcmp(word, "no") == 0 ? UPS_NOT_COUNTED : UPS_COUNTED_UNKNOWN;
}

struct ups_report ups_read(const void *file, size_t n, const char *of, uint64_t now_s)
{
	struct ups_report away = { .is = UPS_AWAY, .charge = -1, .runtime_s = -1 }, said = away;
	struct bytes b = bytes_of(file, n);
	char status[COMPANION_LINE], counted[COMPANION_LINE];
	int64_t since, charge, runtime;
	uint64_t at;
	bool fresh = companion_begin(&b, of, now_s, UPS_FRESH_S, &at);

	companion_line(&b, "status", status);
	since = companion_number(&b, "since");
	charge = companion_number(&b, "charge");
	runtime = companion_number(&b, "runtime");
	companion_line(&b, "counted", counted);
	if (b.failed || b.left > 0 || !fresh)
		return away;
	said.is = state_of(status);
	if (said.is == UPS_AWAY)
		return away;
	said.since_s = since >= 0 && (uint64_t)since <= at ? (uint64_t)since : at;
	if (charge >= 0 && charge <= 100)
		said.charge = (int)charge;
	if (runtime >= 0 && runtime <= (int64_t)DAY_S * 100)
		said.runtime_s = (int)runtime;
	said.counted = counted_of(counted);
	return said;
}

static unsigned note_silence(struct ups_watch *w, uint64_t now_s)
{
	if (!w->silent) {
		w->silent = true;
		w->silent_s = now_s;
	}
	if (w->told_away || now_s - w->silent_s < UPS_AWAY_S)
		return 0;
	w->told_away = true;
	return UPS_WENT_AWAY;
}

static unsigned power_changed(struct ups_watch *w, enum ups_is is)
{
	unsigned what = 0;

	if (is == UPS_MAINS && w->told_battery)
		what |= UPS_ON_MAINS;
	if (is > UPS_MAINS && !w->told_battery)
		what |= UPS_ON_BATTERY;
	if (is == UPS_LOW)
		what |= UPS_IS_LOW;
	if (is == UPS_FORCED)
		what |= UPS_IS_FORCED;
	w->told_battery = is > UPS_MAINS;
	if (is < UPS_LOW)
		w->done = false;
	return what;
}

unsigned ups_look(struct ups_watch *w, const struct ups_report *said, uint64_t now_s)
{
	unsigned what = 0;
	uint64_t wait;

	if (said->is == UPS_AWAY)
		return note_silence(w, now_s);
	if (w->told_away)
		what |= UPS_CAME_BACK;
	/* The time in which no reports came does not count for the state. */
	if (w->silent)
		w->since_s = now_s;
	w->silent = w->told_away = false;
	if (!w->heard || said->is != w->is) {
		what |= power_changed(w, said->is);
		w->stood = !w->heard;
		w->heard = true;
		w->is = said->is;
		w->since_s = now_s;
	}
	wait = w->stood ? UPS_STOOD_S : w->is == UPS_FORCED ? 0 : UPS_LOW_S;
	if (w->is >= UPS_LOW && !w->done && now_s - w->since_s >= wait) {
		w->done = true;
		what |= UPS_OFF_NOW;
	}
	return what;
}
