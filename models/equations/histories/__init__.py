"""The effect model's likelihood with each participant's trait integrated out, over distinct outcome histories."""
