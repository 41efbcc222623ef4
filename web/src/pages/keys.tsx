import { useState } from "react";
import { t } from "../i18n";
import { Page } from "../parts/bits";
import { type Action, Dialog } from "../parts/dialog";
import { Keys } from "../parts/keys";

export default function PlatformKeys() {
  const [action, setAction] = useState<Action | null>(null);
  return <Page title={t("Service keys")}><Keys open={setAction} /><Dialog action={action} close={() => setAction(null)} /></Page>;
}
