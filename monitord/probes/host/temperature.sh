# What the kernel's sensors tell: after look.sh, with base (where sysfs lies). Values as the kernel has
# them: thousandths of a degree, turns a minute; - where a sensor tells none.

value() { if read -r read_value 2>/dev/null <"$1"; then echo "${read_value:--}"; else echo -; fi 2>/dev/null; }

sensors_of() {
  chip=$(value "$1/name")
  for input in "$1"/temp*_input; do
    [ -e "$input" ] || continue
    at=${input%_input}
    label=$(value "${at}_label")
    [ "$label" != - ] || label=${at##*/}
    told "temp $(value "$input") $(value "${at}_max") $(value "${at}_crit") $chip $label"
  done
  for input in "$1"/fan*_input; do
    [ -e "$input" ] || continue
    at=${input%_input}
    label=$(value "${at}_label")
    [ "$label" != - ] || label=${at##*/}
    told "fan $(value "$input") $(value "${at}_min") - $chip $label"
  done
}

main() {
  for chip_folder in "$base"/class/hwmon/hwmon*; do
    [ ! -d "$chip_folder" ] || sensors_of "$chip_folder"
  done
  for zone in "$base"/class/thermal/thermal_zone*; do
    [ -d "$zone" ] || continue
    told "zone $(value "$zone/temp") - - thermal $(value "$zone/type")"
  done
}
