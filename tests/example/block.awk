# SPDX-License-Identifier: MIT
#
# Print the nth code block of a language in a Markdown file.
#
# Usage: awk -v language=c -v n=2 -f block.awk README.md

/^```$/ { inside = 0 }
inside { print }
$0 == "```" language { inside = ++count == n }
