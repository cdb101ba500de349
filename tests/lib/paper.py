# SPDX-License-Identifier: Apache-2.0
"""Prints a page of the browser as PDF, and reads it with poppler's tools (images/deps browser)."""
import base64
import html
import re
import shutil

from cases import Skip, expect
from net import sh

A4 = (595.28, 841.89)  # points
EDGE = 14  # points that a printer cannot print at each edge


def there():
    return all(shutil.which(x) for x in ("pdftotext", "pdfinfo", "pdffonts"))


class Paper:
    """`path`: where the PDF is kept."""

    def __init__(self, b, path):
        if not there():
            raise Skip("pdftotext reads the PDF (images/deps browser brings poppler-utils), and it is not there")
        # With the defaults of the browser's print dialog: the title at the top, the page number at
        # the bottom.
        data = b.devtools("Page.printToPDF", paperWidth=A4[0] / 72, paperHeight=A4[1] / 72, preferCSSPageSize=True, printBackground=False, displayHeaderFooter=True)
        with open(path, "wb") as f:
            f.write(base64.b64decode(data["data"]))
        self.path, self.text = path, sh("pdftotext", "-raw", path, "-").stdout  # cell by cell
        self.flat = re.sub(r"\s", "", self.text)
        said = sh("pdfinfo", path).stdout
        self.pages = int(re.search(r"^Pages:\s+(\d+)", said, re.M).group(1))
        size = re.search(r"^Page size:\s+([\d.]+) x ([\d.]+)", said, re.M)
        self.size = tuple(float(x) for x in size.groups())
        self.title = (re.search(r"^Title:\s+(.*)", said, re.M) or [None, ""])[1]

    def sound(self, name, lang, wide=False):
        """A4, portrait unless `wide`; every word inside the sheet; the browser's page numbers;
        every font embedded, and Japanese ones for Japanese text."""
        width, height = A4[::-1] if wide else A4
        expect(all(abs(a - b) < 2 for a, b in zip(self.size, (width, height))), "%s: a sheet of %s", name, self.size)
        expect(self.title != "", "%s: no title for the head of the sheets", name)
        words = []
        for page, body in enumerate(sh("pdftotext", "-bbox", self.path, "-").stdout.split("<page ")[1:], 1):
            words += [(page, html.unescape(w), *map(float, (x1, y1, x2, y2))) for x1, y1, x2, y2, w in re.findall(
                r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>', body)]
        out = [w for w in words if w[2] < EDGE or w[4] > width - EDGE or w[3] < 0 or w[5] > height]
        expect(words and not out, "%s: cut off at the sheet's edge: %s", name, out[:5])
        for n in range(1, self.pages + 1):
            expect([w for w in words if w[0] == n and w[1] == "%d/%d" % (n, self.pages) and w[3] > height - 60], "%s: sheet %d has no number", name, n)
            expect([w for w in words if w[0] == n and 40 < w[3] < height - 40], "%s: sheet %d is empty", name, n)
        fonts = [line for line in sh("pdffonts", self.path).stdout.splitlines()[2:] if line]
        expect(fonts and all(re.search(r"\s(yes|no)\s+(yes|no)\s+(yes|no)\s+\d+\s+\d+$", line).group(1) == "yes" for line in fonts), "%s: a font is not in the file: %s", name, fonts)
        if lang == "ja":
            # The file contains the glyphs, in whatever form the browser writes a font: they can be
            # read as text again.
            expect(re.search("[ぁ-ん].*[一-龥]", self.text, re.S) and "\ufffd" not in self.text, "%s: no Japanese: %s", name, fonts)

    def has(self, values, name):
        """Each of these texts occurs, with line breaks anywhere."""
        missing = [v for v in values if re.sub(r"\s", "", str(v)) not in self.flat]
        expect(not missing, "%s: the PDF does not say %s", name, missing[:6])

    def heads(self, words, row, name):
        """A table over several sheets repeats its head: on every sheet with a line that begins like
        the pattern `row`."""
        sheets = [(n, re.sub(r"\s", "", page)) for n, page in enumerate(self.text.split("\f"), 1) if re.search(row, page, re.M)]
        without = [n for n, page in sheets if "".join(words) not in page]
        expect(len(sheets) > 1 and not without, "%s: the heads %s are not on sheets %s of %s", name, words, without, [n for n, _ in sheets])
