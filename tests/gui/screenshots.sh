#!/usr/bin/env bash
# Takes the README's pictures from the running program, on a screen of its own: resources/screenshots/compare.png and distil-dark.png.
#
#   tests/gui/screenshots.sh [build folder]      needs Xvfb, openbox, xdotool and ImageMagick's import
#
# The library and the settings are made anew each time, so what is seen is what a first launch shows, then one question and one run.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
program=$(cd "${1:-$root/build}" && pwd)/bin/retort
folder=$root/resources/screenshots
work=$(mktemp -d)
screen=:${RETORT_SCREEN:-77}
mkdir -p "$folder" "$work/runtime"
chmod 700 "$work/runtime"

Xvfb "$screen" -screen 0 1280x720x24 >"$work/xvfb.log" 2>&1 &
xvfb=$!
trap 'kill ${retort:-} ${openbox:-} $xvfb 2>/dev/null || true; rm -rf "$work"' EXIT
export DISPLAY=$screen XDG_RUNTIME_DIR=$work/runtime XDG_CONFIG_HOME=$work/config
until xdotool getdisplaygeometry >/dev/null 2>&1; do sleep 0.2; done
# The window fills the screen, without a frame of the window manager's.
mkdir -p "$work/config/openbox"
cat >"$work/config/openbox/rc.xml" <<'XML'
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <applications><application class="*"><decor>no</decor><maximized>yes</maximized></application></applications>
</openbox_config>
XML
openbox --config-file "$work/config/openbox/rc.xml" >"$work/openbox.log" 2>&1 &
openbox=$!

# start SCHEME: 1 light, 2 dark
start() {
    mkdir -p "$work/config/retort"
    printf '[General]\nscheme=%s\n' "$1" >"$work/config/retort/retort.conf"
    "$program" "$work/library-$1.retort-db" >"$work/retort.log" 2>&1 &
    retort=$!
    xdotool search --sync --onlyvisible --pid "$retort" >/dev/null
    sleep 5 # until the models are loaded
}

stop() {
    kill "$retort"
    wait "$retort" || true
    retort=
}

picture() {
    xdotool mousemove 1279 719
    sleep 1
    import -window root "$folder/$1"
}

start 1
xdotool key --delay 100 ctrl+2 F6
xdotool key ctrl+a
xdotool type --delay 5 "${RETORT_PROMPT:-All wugs are shy. All feps are round. Pip is a}"
xdotool key F5
sleep "${RETORT_ANSWER_SECONDS:-4}"
xdotool key --delay 100 Escape Tab Tab Tab Tab n
picture compare.png
stop

start 2
xdotool key --delay 100 ctrl+n ctrl+r
sleep "${RETORT_RUN_SECONDS:-40}"
picture distil-dark.png
stop
